import { saveCursors } from '../sharing/cursor-store.ts'
import type { HeldShard } from '../sharing/held-shard.ts'
import type { ShardTable } from '../sharing/shard-table.ts'
import { dead } from './capture.ts'
import type { CaptureNews } from './capture-news.ts'
import type { Capture } from './capture-state.ts'
import type { CaptureWorld } from './world.ts'

type World = Pick<CaptureWorld, 'settings' | 'producer' | 'clock' | 'grace'>

/** A cursor that is to be written. */
interface Chore {
  readonly shard: HeldShard
  readonly before: Capture
  /** Its cursor is on disk afterwards. */
  readonly after: Capture
  readonly isDeath: boolean
}

/**
 * What is written to `.cursors` between scans: the death of an index that is gone, what others have overwritten, and what
 * could not be written before. One write at a time holds all that is due: after a sweep these are all shards at once.
 */
export class ShardChores {
  readonly #world: World
  readonly #table: ShardTable
  readonly #news: CaptureNews
  #writing: Promise<void> | undefined

  constructor(world: World, table: ShardTable, news: CaptureNews) {
    this.#world = world
    this.#table = table
    this.#news = news
  }

  /** Resolves when it is over, written or not. */
  async begin(nowMs: number): Promise<void> {
    if (this.#writing !== undefined) return
    const chores = [...this.#table.shards()].flatMap((shard) => this.#choreOf(shard, nowMs) ?? [])
    if (chores.length === 0) return
    // While it is written, no scan of these shards begins.
    for (const { shard, before } of chores) shard.beginScan({ state: before }, new AbortController())
    this.#writing = this.#write(chores).finally(() => {
      this.#writing = undefined
    })
    await this.#writing
  }

  async done(): Promise<void> {
    await this.#writing
  }

  #choreOf(shard: HeldShard, nowMs: number): Chore | undefined {
    const { goneGraceSeconds } = this.#world.settings.elasticsearch
    const before = shard.state
    if (shard.isDying(nowMs, goneGraceSeconds * 1_000)) {
      const newEpoch = this.#table.takeEpoch(shard.partition, nowMs)
      return { shard, before, after: dead(before, newEpoch), isDeath: true }
    }
    if (!shard.isToBeSaved || !shard.mayTry(nowMs)) return undefined
    shard.mustSave = false
    return { shard, before, after: before, isDeath: false }
  }

  async #write(chores: readonly Chore[]): Promise<void> {
    const { producer, settings, clock, grace } = this.#world
    const cursors = chores.map(({ after }) => after.cursor)
    try {
      await saveCursors(producer, settings.pipeline, cursors, grace)
      for (const { shard, after, isDeath } of chores) {
        if (isDeath) shard.dies()
        shard.failure = undefined
        shard.endScan(after, this.#table.looksBegun)
      }
    } catch (error) {
      for (const { shard, before } of chores) {
        shard.endScan(before, this.#table.looksBegun)
        shard.mustSave = true
        shard.fails(error, clock.nowMs())
      }
      this.#news.cannotSave(chores.length, error)
    }
  }
}
