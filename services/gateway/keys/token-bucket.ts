/** How often a key may ask. */
export interface RateLimit {
  readonly requestsPerSecond: number
  /** Requests at once after a pause. */
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
export function takeLate(
  fullAtMs: number,
  nowMs: number,
  tokens: number,
  { requestsPerSecond }: RateLimit,
): number {
  return Math.max(fullAtMs, nowMs) + (tokens * 1_000) / requestsPerSecond
}

/**
 * Takes one token out of a bucket that gains `requestsPerSecond` of them and holds `burst`.
 * @param fullAtMs of a new bucket: anything up to now
 * @param nowMs of a clock that never runs backwards
 */
export function takeToken(fullAtMs: number, nowMs: number, { requestsPerSecond, burst }: RateLimit): Taken {
  const tokenMs = 1_000 / requestsPerSecond
  const missingMs = Math.max(0, fullAtMs - nowMs)
  const spareMs = (burst - 1) * tokenMs - missingMs
  return spareMs < 0
    ? { isAllowed: false, fullAtMs, retryAfterMs: -spareMs }
    : { isAllowed: true, fullAtMs: nowMs + missingMs + tokenMs }
}
