/** What becomes of an error: whom it stops, and when it is tried again. Pure. */
import { isFreshetError } from '@freshet/errors/errors.ts'

/** Between tries, whatever has failed. */
export const BACK_OFF = { firstMs: 200, maxMs: 10_000 }

/** A retry may help, or the others can go on without this index; what a retry cannot help otherwise ends the poller. */
export function isOfIndex(error: unknown): boolean {
  return isFreshetError(error) && (error.retryable || OF_INDEX.has(error.code))
}

const OF_INDEX: ReadonlySet<string> = new Set([
  'INDEX_MISSING',
  'INDEX_NOT_CAPTURABLE',
  'ELASTICSEARCH_UNAUTHORIZED',
  'ELASTICSEARCH_REFUSED',
  'HIT_MALFORMED',
])

/** Of a look at all of them. A named index may be gone for a moment while it is made anew. */
export function isWorthWaiting(error: unknown): boolean {
  return isFreshetError(error) && (error.retryable || error.code === 'INDEX_MISSING')
}
