import type { ErrorCode } from '@freshet/errors/errors.ts'
import type { Reason } from '@freshet/records/reasons.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'

/** What a store says of a key. */
export type Said =
  | { readonly kind: 'has'; readonly score: StoredScore }
  | { readonly kind: 'has nothing' }
  | { readonly kind: 'was not heard'; readonly reason: Reason }

export const NOTHING: Said = { kind: 'has nothing' }

export function unheard(reason: Reason): Said {
  return { kind: 'was not heard', reason }
}

/** Of a value that cannot be read, which says nothing about the cache itself. */
export const UNREADABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'RECORD_VERSION',
  'RECORD_MALFORMED',
  'REDIS_WRONG_TYPE',
])
