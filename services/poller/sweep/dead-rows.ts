import type { Buffer } from 'node:buffer'
import type { LiveTable } from '@freshet/reconcile/live-table.ts'
import { keyAt, revisionAt } from '@freshet/reconcile/row-at.ts'
import { tombstoneInShard, tombstoneOfDeadEpoch } from '@freshet/reconcile/tombstone.ts'
import type { Revision } from '@freshet/records/revision.ts'
import { STATE } from '@freshet/records/score-batch.ts'
import type { StoredRows } from '@freshet/records/stored-rows.ts'

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

/** Finds the rows of a snapshot whose documents are no more. Pure; asks each row once. */
export class DeadRows {
  readonly #shards: readonly LiveShardKeys[]
  readonly #byEpoch: ReadonlyMap<number, LiveShardKeys>
  readonly #deadEpochs: ReadonlySet<number>
  readonly #tied = new Set<string>()

  /** @param deadEpochs what is left of them is dead, unless it is known to live with a lower version. */
  constructor(shards: readonly LiveShardKeys[], deadEpochs: readonly number[]) {
    this.#shards = shards
    this.#byEpoch = new Map(shards.map((shard) => [shard.epoch, shard]))
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
  find(page: StoredRows): Tombstone[] {
    const tombstones: Tombstone[] = []
    for (let row = 0; row < page.count; row++) {
      if (page.states[row] === STATE.deleted) continue
      const revision = this.#revisionAbove(page, row)
      if (revision !== undefined) tombstones.push({ key: keyAt(page, row), revision })
    }
    return tombstones
  }

  /** undefined for a row that is not known to be dead, or stays. */
  #revisionAbove(page: StoredRows, row: number): Revision | undefined {
    const epoch = page.epochs[row]!
    const shard = this.#byEpoch.get(epoch)
    if (shard !== undefined) return this.#revisionInShard(shard, page, row)
    if (!this.#deadEpochs.has(epoch)) return undefined
    const mayLive = this.#shards.some(({ table }) => lives(table, page, row))
    return tombstoneOfDeadEpoch(revisionAt(page, row), { mayLive })
  }

  #revisionInShard(
    { key, table, checkpoint, maxSeqNo }: LiveShardKeys,
    page: StoredRows,
    row: number,
  ): Revision | undefined {
    if (page.seqNos[row]! > maxSeqNo) return undefined // written since the keys were read, perhaps
    if (lives(table, page, row)) return undefined
    const tombstone = tombstoneInShard(revisionAt(page, row), checkpoint)
    if (tombstone === undefined) this.#tied.add(key)
    return tombstone
  }
}

function lives(table: LiveShardKeys['table'], { keys, keyOffsets }: StoredRows, row: number): boolean {
  return table.has(keys, keyOffsets[row]!, keyOffsets[row + 1]!)
}
