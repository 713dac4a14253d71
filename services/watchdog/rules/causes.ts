/**
 * What follows from what: of a dead server, or the last scorer that is gone, people are told once, and not of all that
 * stands still for it. Pure.
 */
import type { Facts } from '@freshet/records/facts.ts'
import type { Part, Symptom } from './rule.ts'

export interface Context {
  readonly now: Facts
  /** What was found lately that may have been a cause, newest last. Asked for only where nothing else explains it. */
  readonly before: () => readonly { readonly atMs: number; readonly found: readonly Symptom[] }[]
}

/** What is known of why: another finding of this look, one that is over and has left this behind, or nothing. */
export type Why =
  | { readonly kind: 'cause'; readonly id: string }
  | { readonly kind: 'aftermath' }
  | { readonly kind: 'own' }

export function whyOf(symptom: Symptom, found: readonly Symptom[], context: Context): Why {
  const root = rootOf(symptom, found)
  if (root !== undefined) return { kind: 'cause', id: root.id }
  return isAftermath(symptom, context) ? { kind: 'aftermath' } : { kind: 'own' }
}

/** A lag may follow from a scorer that follows from S3. */
function rootOf(symptom: Symptom, found: readonly Symptom[]): Symptom | undefined {
  let root: Symptom | undefined
  for (let at: Symptom = symptom, steps = 0; steps < MAX_STEPS; steps++) {
    const cause = found.find((other) => other.id !== at.id && other !== symptom && breaks(other, at.needs))
    if (cause === undefined) break
    root = at = cause
  }
  return root
}

const MAX_STEPS = 4

/** Work that was left waiting is done again a moment after its cause is over, and not slower than it came. */
const CATCH_UP_MS = 20_000

/**
 * It began while its cause was there, and works itself off: for about as long as that lasted. A server that was slow for
 * a moment explains nothing that goes on for minutes.
 */
function isAftermath({ needs = [], sinceSeconds }: Symptom, { now, before }: Context): boolean {
  if (needs.length === 0 || sinceSeconds === undefined) return false
  const beganAtMs = now.atMs - sinceSeconds * 1_000
  const looks = before().map(({ atMs, found }) => ({ atMs, broken: found.some((one) => breaks(one, needs)) }))
  const last = looks.findLastIndex(({ broken }) => broken)
  if (last < 0 || looks[last]!.atMs < beganAtMs) return false
  const first = looks.slice(0, last).findLastIndex(({ broken }) => !broken) + 1
  const lastedMs = looks[last]!.atMs - looks[first]!.atMs
  return now.atMs - looks[last]!.atMs <= lastedMs + CATCH_UP_MS
}

function breaks({ breaks: broken = [] }: Symptom, needs: readonly Part[] = []): boolean {
  return broken.some((part) => needs.includes(part))
}
