import type { Notice } from '../notice.ts'

/** One way to people. */
export interface Way {
  readonly name: 'slack' | 'webhook'
  /** Tries once, as soon as the other side's pace allows. Never rejects; a stop ends it as `later`. */
  post(notice: Notice, signal: AbortSignal): Promise<Outcome>
}

export type Outcome =
  | { readonly kind: 'taken' }
  /** It may be taken when it is tried again, not before `afterMs`. */
  | { readonly kind: 'later'; readonly why: string; readonly afterMs: number }
  /** Of this notice the other side takes no form. */
  | { readonly kind: 'refused'; readonly why: string }
  /** Nothing is taken until somebody mends the address or the channel. */
  | { readonly kind: 'closed'; readonly why: string }

/** For one answer of a way. */
export const REQUEST_TIMEOUT_MS = 10_000
