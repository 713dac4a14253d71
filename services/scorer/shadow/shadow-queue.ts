import type { LoadedModel } from '@freshet/model/run/loaded-model.ts'
import type { ScoredBatch } from '../infer/batch-scorer.ts'
import type { ScoredRows } from './compare-rows.ts'

/** Each holds on to what Kafka sent, up to some MiB. */
const MAX_BATCHES = 4

/** What waits for the shadow. It never holds up who offers: what finds no room is counted and left out. */
export class ShadowQueue {
  /** Aborts when something comes. */
  #bell = new AbortController()
  #batches: ScoredRows[] = []
  #skippedRows = 0

  get bell(): AbortSignal {
    return this.#bell.signal
  }

  offer(
    { label: current, outputs }: Pick<LoadedModel, 'label' | 'outputs'>,
    { features, scores }: ScoredBatch,
  ): void {
    const { scorable, messages } = features
    const isScored = (row: number) => scores.columns.every((column) => Number.isFinite(column[row]))
    const rows = Array.from(scorable.keys()).filter(isScored)
    if (rows.length === 0) return
    if (this.#batches.length >= MAX_BATCHES) {
      this.#skippedRows += rows.length
      return
    }
    this.#batches.push({
      current,
      outputs,
      documents: rows.map((row) => messages[scorable[row]!]!.value!),
      columns: scores.columns.map((column) => Float64Array.from(rows, (row) => column[row]!)),
    })
    this.#bell.abort()
  }

  take(): ScoredRows | undefined {
    const batch = this.#batches.shift()
    if (this.#batches.length === 0) this.#bell = new AbortController()
    return batch
  }

  /** @returns rows that were left out since it was last asked. */
  takeSkipped(): number {
    const rows = this.#skippedRows
    this.#skippedRows = 0
    return rows
  }

  clear(): void {
    this.#batches = []
    this.#skippedRows = 0
    this.#bell = new AbortController()
  }
}
