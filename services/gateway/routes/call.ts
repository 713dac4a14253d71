import type { Buffer } from 'node:buffer'
import type { Answer } from '@freshet/records/answer.ts'
import type { Rank } from '@freshet/records/revision.ts'
import type { Answered } from '../answered.ts'
import type { Caller } from '../keys/access.ts'
import type { Deadline } from '../server/deadline.ts'
import type { TracedAnswer } from '../traces/traced-answer.ts'

/** A request as a route sees it: a Request, or a plain one, whose body is there already (server/plain). */
export type Asked = Pick<Request, 'method' | 'url'> & {
  readonly headers: Pick<Headers, 'get'>
} & (Pick<Request, 'body' | 'arrayBuffer'> | { readonly wholeBody: Buffer })

/** One request on its way through its route. */
export interface Call {
  readonly request: Asked
  /** As it is recorded: `/v1/scores/{key}`. */
  readonly route: string
  /** Who asks, and what else it may ask for. */
  readonly caller: Caller
  /** Lowered already by what the caller asked for. */
  readonly deadline: Deadline
  /** To be set by whoever answers; it is counted and traced. */
  answered: Answered | undefined
  /** When the best source was given up, on the monotonic clock. */
  fellBackAtMs: number | undefined
  /** Those of the answers that speak of traced documents; undefined: none. */
  readonly traced: readonly TracedAnswer[] | undefined
  /** To be told of every answer. @param rank of the stored score that it is made of. */
  gives(key: string | null, answer: Answer | undefined, rank?: Rank): void
  /** Told of a body that is there, before it is looked at. @throws OVERLOADED when its work cannot be done in time */
  begin(bodyBytes: number): void
}

/** Milliseconds since the request was accepted. */
export function tookMs({ deadline }: Call): number {
  return performance.now() - deadline.acceptedAtMs
}
