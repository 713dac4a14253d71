import { Buffer } from 'node:buffer'
import type { LiveTable } from '@freshet/reconcile/live-table.ts'
import type { Revision } from '@freshet/records/revision.ts'
import { STATE } from '@freshet/records/score-batch.ts'
import type { SnapshotRows } from '@freshet/snapshot/rows.ts'

/** The living keys of the shard that is captured under `epoch`, read after `checkpoint` and `maxSeqNo`. */
export interface LiveShardKeys {
  readonly key: string
  readonly epoch: number
  readonly checkpoint: number
  readonly maxSeqNo: number
  readonly table: Pick<LiveTable, 'has'>
}

export interface Tombstone {
  readonly key: Buffer
  readonly revision: Revision
}

/** Above every revision of an epoch: the largest that a change has room for. */
const BURIED = { primaryTerm: 2 ** 32 - 1, seqNo: Number.MAX_SAFE_INTEGER }

/**
 * Finds the rows of a snapshot whose documents are no more. Pure; asks each row once.
 *
 * A tombstone keeps the primary term of its row. That of the primary would be too high: when it dies before it has written
 * anything, the next one may bring operations of an older term that it never had, and a document among them lives.
 */
export class DeadRows {
  readonly #living: ReadonlyMap<number, LiveShardKeys>
  readonly #deadEpochs: ReadonlySet<number>
  readonly #tied = new Set<string>()

  /** @param deadEpochs what is left of them is dead, whatever it is. */
  constructor(living: readonly LiveShardKeys[], deadEpochs: readonly number[]) {
    this.#living = new Map(living.map((shard) => [shard.epoch, shard]))
    this.#deadEpochs = new Set(deadEpochs)
  }

  /**
   * Shards with a dead row that stays, for now:
   * - It has the very revision that its tombstone would have: a document written at the checkpoint, and deleted beyond it.
   * - It is above the checkpoint although it was there at the start: a new primary knew an older checkpoint for a moment.
   * The next sweep begins at a higher checkpoint.
   */
  get tied(): ReadonlySet<string> {
    return this.#tied
  }

  /** @param page rows that count: of each key the one of highest rank. @returns what outranks the dead ones */
  find(page: SnapshotRows): Tombstone[] {
    const tombstones: Tombstone[] = []
    for (let row = 0; row < page.count; row++) {
      if (page.states[row] === STATE.deleted) continue
      const rank = this.#rankAbove(page, row)
      if (rank === undefined) continue
      const revision = { documentVersion: page.documentVersions[row]!, epoch: page.epochs[row]!, ...rank }
      tombstones.push({ key: keyAt(page, row), revision })
    }
    return tombstones
  }

  /** undefined for a row that is not known to be dead. */
  #rankAbove(page: SnapshotRows, row: number): Pick<Revision, 'primaryTerm' | 'seqNo'> | undefined {
    const epoch = page.epochs[row]!
    const shard = this.#living.get(epoch)
    if (shard === undefined) return this.#deadEpochs.has(epoch) ? BURIED : undefined
    const seqNo = page.seqNos[row]!
    const { checkpoint, maxSeqNo } = shard
    if (seqNo > maxSeqNo) return undefined // written since the keys were read, perhaps
    if (shard.table.has(page.keys, page.keyOffsets[row]!, page.keyOffsets[row + 1]!)) return undefined
    if (seqNo < checkpoint) return { primaryTerm: page.primaryTerms[row]!, seqNo: checkpoint }
    this.#tied.add(shard.key)
    return undefined
  }
}

/** A copy: the page is overwritten by the next. */
function keyAt({ keys, keyOffsets }: SnapshotRows, row: number): Buffer {
  return Buffer.from(keys.subarray(keyOffsets[row], keyOffsets[row + 1]))
}
