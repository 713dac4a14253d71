import { Buffer } from 'node:buffer'
import { compareRevisions } from '@freshet/records/revision.ts'
import { STATE } from '@freshet/records/score-batch.ts'
import type { StoredRows } from '@freshet/records/stored-rows.ts'
import type { ChangeModel } from './kafka-model.kit.ts'
import type { LogModel } from './log-model.kit.ts'

/** Key and what is held of it. */
export type HeldRow = readonly [key: string, row: ChangeModel]

/**
 * What the scorer makes of `.changes`: of every key the row with the highest revision; on a tie the one that is there.
 * It lags behind the log, and the snapshot of it lags behind again.
 */
export class StoreModel {
  readonly #changes: LogModel<ChangeModel>
  readonly rows = new Map<string, ChangeModel>()
  readonly #snapshot = new Map<string, ChangeModel>()
  #consumedOffset = 0
  #snapshotOffset = 0

  constructor(changes: LogModel<ChangeModel>) {
    this.#changes = changes
  }

  /** The next offset of `.changes` that the snapshot does not hold. */
  get snapshotOffset(): number {
    return this.#snapshotOffset
  }

  consume(records: number): void {
    this.#consumedOffset = this.#fold(this.rows, this.#consumedOffset, records)
  }

  commitSnapshot(): void {
    this.#snapshotOffset = this.#fold(
      this.#snapshot,
      this.#snapshotOffset,
      this.#consumedOffset - this.#snapshotOffset,
    )
  }

  /** The rows of the snapshot as it is now, in the order of their keys. */
  snapshot(): readonly HeldRow[] {
    return [...this.#snapshot].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  #fold(rows: Map<string, ChangeModel>, offset: number, records: number): number {
    let next = offset
    for (const { offset: at, key, value } of this.#changes.from(offset)) {
      if (at >= offset + records) break
      next = at + 1
      if (value === null) continue
      const there = rows.get(key)
      if (there === undefined || compareRevisions(value.revision, there.revision) > 0) rows.set(key, value)
    }
    return next
  }
}

/** As the sweep reads them. */
export function pageOf(rows: readonly HeldRow[]): StoredRows {
  const keys = rows.map(([key]) => Buffer.from(key))
  const keyOffsets = new Uint32Array(rows.length + 1)
  for (const [row, key] of keys.entries()) keyOffsets[row + 1] = keyOffsets[row]! + key.length
  const column = (of: (row: ChangeModel) => number) => Float64Array.from(rows, ([, row]) => of(row))
  const zeros = new Float64Array(rows.length)
  return {
    count: rows.length,
    schema: { outputs: [], models: new Map() },
    keys: Buffer.concat(keys),
    keyOffsets,
    documentVersions: column(({ revision }) => revision.documentVersion),
    epochs: column(({ revision }) => revision.epoch),
    primaryTerms: Uint32Array.from(rows, ([, { revision }]) => revision.primaryTerm),
    seqNos: column(({ revision }) => revision.seqNo),
    modelGenerations: new Uint32Array(rows.length),
    asOfMs: zeros,
    scoredAtMs: zeros,
    states: Uint8Array.from(rows, ([, { isDelete }]) => (isDelete ? STATE.deleted : STATE.scored)),
    outputs: [],
  }
}
