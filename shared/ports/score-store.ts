import type { StoredRows } from '@freshet/records/stored-rows.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'

/** A last-writer-wins register for every key, on the rank of what is written. Its promises: score-store.contract.ts. */
export interface ScoreStore extends AsyncDisposable {
  /**
   * Keeps each row whose rank is higher than what is there; a tie changes nothing. When it resolves, every row is
   * either stored or outranked; when it rejects, any part may be stored, and doing it again is safe.
   */
  merge(rows: StoredRows, signal?: AbortSignal): Promise<void>
  /** undefined: the store looked and has nothing. A store that cannot look rejects. */
  get(key: string, signal?: AbortSignal): Promise<StoredScore | undefined>
}
