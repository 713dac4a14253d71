import { saveCursor } from '../sharing/cursor-store.ts'
import type { HeldShard } from '../sharing/held-shard.ts'
import type { ShardTable } from '../sharing/shard-table.ts'
import { type Capture, defaultLimits, step } from './capture.ts'
import type { CaptureNews } from './capture-news.ts'
import type { CaptureWorld } from './capture-shard.ts'

type World = Pick<CaptureWorld, 'settings' | 'producer' | 'clock' | 'grace'>

/** What is written to `.cursors` between scans: the death of an index that is gone, and what others have overwritten. */
export class ShardChores {
  readonly #world: World
  readonly #table: ShardTable
  readonly #news: CaptureNews
  readonly #running = new Set<Promise<void>>()

  constructor(world: World, table: ShardTable, news: CaptureNews) {
    this.#world = world
    this.#table = table
    this.#news = news
  }

  begin(nowMs: number): void {
    const graceMs = this.#world.settings.elasticsearch.goneGraceSeconds * 1_000
    for (const shard of this.#table.shards()) {
      if (shard.isDying(nowMs, graceMs)) this.#do(shard, () => this.#die(shard, nowMs))
      else if (shard.isToBeSaved && shard.mayTry(nowMs)) this.#do(shard, () => this.#saveAgain(shard))
    }
  }

  async done(): Promise<void> {
    await Promise.all(this.#running)
  }

  /** While it is done, no scan of the shard begins. */
  #do(shard: HeldShard, work: () => Promise<Capture>): void {
    const before = shard.state
    shard.beginScan({ state: before }, new AbortController())
    const end = (state: Capture) => shard.endScan(state, this.#table.looksBegun)
    const running = work().then(
      (state) => {
        shard.failure = undefined
        end(state)
      },
      (error: unknown) => {
        end(before)
        shard.mustSave = true
        shard.fails(error, this.#world.clock.nowMs())
        this.#news.tellFailure(before.cursor, error)
      },
    )
    const done = running.finally(() => this.#running.delete(done))
    this.#running.add(done)
  }

  /** Its epoch dies on disk: whatever is still to come of it is outranked, and what there is may be deleted. */
  async #die(shard: HeldShard, nowMs: number): Promise<Capture> {
    const newEpoch = this.#table.takeEpoch(shard.partition, nowMs)
    const [dying] = step(shard.state, { kind: 'gone', newEpoch }, LIMITS)
    await this.#save(dying)
    shard.dies()
    return step(dying, { kind: 'saved' }, LIMITS)[0]
  }

  async #saveAgain(shard: HeldShard): Promise<Capture> {
    const { state } = shard
    shard.mustSave = false
    await this.#save(state)
    return state
  }

  async #save({ cursor }: Capture): Promise<void> {
    const { producer, settings, grace } = this.#world
    await saveCursor(producer, settings.pipeline, cursor, grace)
  }
}

/** Nothing is read here. */
const LIMITS = { ...defaultLimits, pageRows: 1, maxPageBytes: 1 }
