import { FreshetError } from '@freshet/errors/errors.ts'
import type { RateLimit } from './token-bucket.ts'

/** A key has asked too often. */
export class RateLimited extends FreshetError {
  /** When the next request is let through, in the words of RFC 9110 and of the draft for rate limits. */
  readonly headers: Readonly<Record<string, string>>

  /** @param retryAfterMs more than 0 */
  constructor(holder: string, { perSecond, burst }: RateLimit, retryAfterMs: number) {
    const seconds = Math.ceil(retryAfterMs / 1_000)
    super('RATE_LIMITED', `the key of ${holder} may ask ${perSecond} times a second, ${burst} at once`)
    this.headers = {
      'retry-after': `${seconds}`,
      'ratelimit-policy': `"key";q=${burst};w=${Math.ceil(burst / perSecond)}`,
      ratelimit: `"key";r=0;t=${seconds}`,
    }
  }
}
