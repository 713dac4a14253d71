import type { Buffer } from 'node:buffer'
import type { Revision } from '@freshet/records/revision.ts'
import { ROW_STATES, STATE } from '@freshet/records/score-batch.ts'
import type { StoredRows } from '@freshet/records/stored-rows.ts'
import type { LiveTable } from './live-table.ts'
import { keyAt, revisionAt } from './row-at.ts'
import { type HeldRow, type JudgeContext, standingOfCurrent } from './verify-judge.ts'
import type { Tally } from './verify-report.ts'

/** A shard whose living keys were read. */
export interface JoinedShard {
  readonly table: LiveTable
  /** Documents above it are not judged: they were written while the keys were read. */
  readonly checkpoint: number
  /** Under which epoch it is captured, and how far; null when the poller has not begun with it. */
  readonly captured: { readonly epoch: number; readonly seqNo: number } | null
  /** Here stands what was plain at the first look. */
  readonly tally: Tally
}

/** A living document whose row is not plainly its score: look at it again before it is reported. */
export interface Suspect<Shard> {
  readonly shard: Shard
  readonly seqNo: number
  readonly key: Buffer
  readonly row: HeldRow
}

/** A score without a living document. */
export interface ExtraRow<Shard> {
  /** Under whose epoch it was written; null: of an index or an incarnation that is no more. */
  readonly shard: Shard | null
  readonly key: Buffer
  readonly revision: Revision
}

export interface JoinOptions<Shard> {
  readonly shards: readonly Shard[]
  readonly context: JudgeContext
  /** Where a key names its index, no shard of another index has it. */
  readonly isKeyOfOneIndex: boolean
  /** A field of the document stands first in revisions, so that epochs alone do not order them. */
  readonly hasVersions: boolean
}

/** What is to be told by name, or looked at again. */
export interface Joined<Shard> {
  readonly suspects: readonly Suspect<Shard>[]
  readonly extras: readonly ExtraRow<Shard>[]
  /** Keys of rows that say why there is no score. */
  readonly setAside: readonly Buffer[]
}

/**
 * Puts rows of the snapshot beside the living keys of some shards: counts what is plain, hands out what is not. What no
 * row has met in the end has none. Pure, but for tallies and the marks in the tables.
 */
export class Join<Shard extends JoinedShard> {
  readonly #options: JoinOptions<Shard>
  readonly #byEpoch = new Map<number, Shard>()
  #newestGeneration = 0

  constructor(options: JoinOptions<Shard>) {
    this.#options = options
    for (const shard of options.shards)
      if (shard.captured !== null) this.#byEpoch.set(shard.captured.epoch, shard)
  }

  /** Highest model generation of any row so far; 0 before the first. */
  get newestGeneration(): number {
    return this.#newestGeneration
  }

  /** @param page rows that were not handed in before. */
  add(page: StoredRows): Joined<Shard> {
    const joined = { suspects: [], extras: [], setAside: [] }
    for (let row = 0; row < page.count; row++) this.#addRow(page, row, joined)
    return joined
  }

  #addRow(page: StoredRows, row: number, into: Into<Shard>): void {
    this.#newestGeneration = Math.max(this.#newestGeneration, page.modelGenerations[row]!)
    const { shards, isKeyOfOneIndex } = this.#options
    const owner = this.#byEpoch.get(page.epochs[row]!)
    const candidates = owner !== undefined && isKeyOfOneIndex ? [owner] : shards
    const from = page.keyOffsets[row]!
    const to = page.keyOffsets[row + 1]!
    let lives = false
    for (const shard of candidates) {
      // Told from the checkpoint, not from the row: one that was buried has a number beyond the table's range.
      const ahead = shard.table.meet(page.keys, from, to, shard.checkpoint)
      if (ahead === undefined) continue
      lives = true
      const seqNo = shard.checkpoint + ahead
      if (ahead <= 0) this.#met(shard, seqNo, page, row, into)
    }
    if (lives) return
    if (page.states[row] !== STATE.deleted) this.#notLiving(owner, page, row, into)
    else if (candidates !== shards) this.#meetElsewhere(page, row, into)
  }

  /** A document that was deleted in one shard of its index may live in another, through routing. */
  #meetElsewhere(page: StoredRows, row: number, into: Into<Shard>): void {
    const from = page.keyOffsets[row]!
    const to = page.keyOffsets[row + 1]!
    for (const shard of this.#options.shards) {
      const ahead = shard.table.meet(page.keys, from, to, shard.checkpoint)
      if (ahead !== undefined && ahead <= 0) this.#met(shard, shard.checkpoint + ahead, page, row, into)
    }
  }

  #met(shard: Shard, seqNo: number, page: StoredRows, row: number, into: Into<Shard>): void {
    if (this.#speaksPlainly(shard, seqNo, page, row)) {
      const standing = standingOfCurrent(
        page.states[row]!,
        page.modelGenerations[row]!,
        this.#options.context.generation,
      )
      shard.tally[standing]++
      if (standing === 'setAside') into.setAside.push(keyAt(page, row))
    } else if (shard.captured === null || seqNo > shard.captured.seqNo) shard.tally.pending++
    else into.suspects.push({ shard, seqNo, key: keyAt(page, row), row: rowAt(page, row) })
  }

  /** Within an epoch sequence numbers order a document's revisions; between epochs those do, where there is no version. */
  #speaksPlainly({ captured }: Shard, seqNo: number, page: StoredRows, row: number): boolean {
    if (captured === null || page.states[row] === STATE.deleted) return false
    const epoch = page.epochs[row]!
    if (epoch === captured.epoch) return page.seqNos[row]! >= seqNo
    const { hasVersions, context } = this.#options
    return !hasVersions && epoch > captured.epoch && context.isLiveEpoch(epoch)
  }

  /** Rows of a shard that is not read, or at another time, are not judged here. */
  #notLiving(owner: Shard | undefined, page: StoredRows, row: number, { extras }: Into<Shard>): void {
    const isNotOurs = owner === undefined && this.#options.context.isLiveEpoch(page.epochs[row]!)
    const isLater = owner !== undefined && page.seqNos[row]! > owner.checkpoint
    if (isNotOurs || isLater) return
    extras.push({ shard: owner ?? null, key: keyAt(page, row), revision: revisionAt(page, row) })
  }
}

type Into<Shard> = { [Name in keyof Joined<Shard>]: Joined<Shard>[Name][number][] }

function rowAt(page: StoredRows, row: number): HeldRow {
  return {
    revision: revisionAt(page, row),
    modelGeneration: page.modelGenerations[row]!,
    state: ROW_STATES[page.states[row]!]!,
  }
}
