/** How often something may be done: how often a key may ask, how often a line is told. */
export interface RateLimit {
  readonly perSecond: number
  /** At once after a pause. */
  readonly burst: number
}

/** With it, when the bucket is full again: all there is to know of it. */
type Taken =
  | { readonly isAllowed: true; readonly fullAtMs: number }
  /** `retryAfterMs`: when the next one is allowed, more than 0. */
  | { readonly isAllowed: false; readonly fullAtMs: number; readonly retryAfterMs: number }

/**
 * Takes tokens that were given out elsewhere: beyond an empty bucket they are a debt, so that in the long run the rate holds.
 * @returns when the bucket is full again
 */
export function takeLate(fullAtMs: number, nowMs: number, tokens: number, { perSecond }: RateLimit): number {
  return Math.max(fullAtMs, nowMs) + (tokens * 1_000) / perSecond
}

/**
 * Takes one token out of a bucket that gains `perSecond` of them and holds `burst`.
 * @param fullAtMs of a new bucket: anything up to now
 * @param nowMs of a clock that never runs backwards
 */
export function takeToken(fullAtMs: number, nowMs: number, { perSecond, burst }: RateLimit): Taken {
  const tokenMs = 1_000 / perSecond
  const missingMs = Math.max(0, fullAtMs - nowMs)
  const spareMs = (burst - 1) * tokenMs - missingMs
  return spareMs < 0
    ? { isAllowed: false, fullAtMs, retryAfterMs: -spareMs }
    : { isAllowed: true, fullAtMs: nowMs + missingMs + tokenMs }
}
