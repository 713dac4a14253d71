import type { RuleName } from '@freshet/config/alert-rules.ts'
import type { Finding } from '@freshet/records/alert-state.ts'
import type { Facts } from '@freshet/records/facts.ts'

/** Something that others cannot do without; what it is called in `needs` and `breaks`. */
export type Part =
  | Server
  /** Nobody of the service lives. */
  | `service ${string}`
  /** Nobody of the service does the work of this worker, e.g. `worker scorer/cache`. */
  | `worker ${string}`
  /** A consumer group, or the capture as a whole. */
  | `group ${string}`

export type Server = 'elasticsearch' | 'redis' | 's3' | 'kafka'

export interface Scene {
  readonly now: Facts
  /** Of the last minutes, oldest first, a few of each minute. */
  readonly earlier: readonly Facts[]
  /** 0 for a rule that has none. */
  readonly threshold: number
  /** After which an instance counts as silent, by the rule of that name. */
  readonly silentSeconds: number
}

/** What a rule found: how grave it is, and what it follows from, is for who knows all of them to say. */
export interface Symptom extends Pick<Finding, 'id' | 'title' | 'details' | 'advice' | 'blinds'> {
  /** Where it is a matter of degree: the figure, and what it is compared with, if that is not the threshold itself. */
  readonly measure?: { readonly value: number; readonly above?: number } | undefined
  /** Of what breaks one of these it is a consequence. */
  readonly needs?: readonly Part[]
  /** How long ago it began, at most: where its cause was there since then, and is no more, it is left over from it. */
  readonly sinceSeconds?: number
  /** What does not work while this is so. */
  readonly breaks?: readonly Part[]
}

export interface Rule {
  readonly name: RuleName
  /** Pure. What is wrong right now; the same trouble of the same thing has the same id. */
  find(scene: Scene): readonly Symptom[]
  /** Pure. The ids of what may be there although it is not found: it takes time to be seen, and we began to look only now. */
  notKnown?(scene: Scene): readonly string[]
}
