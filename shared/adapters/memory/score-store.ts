import type { ScoreStore } from '@freshet/ports/score-store.ts'
import { newer } from '@freshet/records/revision.ts'
import type { StoredRows } from '@freshet/records/stored-rows.ts'
import { type StoredScore, storedScoreOf } from '@freshet/records/stored-score.ts'

/** A score store that lives as long as its process: what simulations and tests stand on. */
export class MemoryScoreStore implements ScoreStore {
  readonly #scores = new Map<string, StoredScore>()

  async merge(rows: StoredRows): Promise<void> {
    for (let row = 0; row < rows.count; row++) {
      const score = storedScoreOf(rows, row)
      const there = this.#scores.get(score.key)
      this.#scores.set(score.key, there === undefined ? score : newer(there, score))
    }
  }

  async get(key: string): Promise<StoredScore | undefined> {
    return this.#scores.get(key)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#scores.clear()
  }
}
