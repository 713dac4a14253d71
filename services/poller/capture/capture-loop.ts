/** Looks at all shards again and again, and captures those of ours whose checkpoint has moved. */
import { readCheckpoints } from '@freshet/adapters/elasticsearch/checkpoints.ts'
import { judgeIndices } from '@freshet/adapters/elasticsearch/judge-indices.ts'
import { refresh } from '@freshet/adapters/elasticsearch/read-page.ts'
import { readShards, type ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import type { TraceContext } from '@freshet/records/change.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import type { HeldShard } from '../sharing/held-shard.ts'
import type { ShardTable } from '../sharing/shard-table.ts'
import { limitsOf, step } from './capture.ts'
import { CaptureNews } from './capture-news.ts'
import { ShardCapture } from './capture-shard.ts'
import type { Observed } from './capture-state.ts'
import { BACK_OFF, isOfIndex, isWorthWaiting } from './failures.ts'
import { IndexJudge } from './index-judge.ts'
import { leavePoll } from './page-span.ts'
import { ShardChores } from './shard-chores.ts'
import { ShardWatch } from './shard-watch.ts'
import { TURN_MS, whoseTurn } from './whose-turn.ts'
import type { CaptureWorld } from './world.ts'

interface Turn {
  readonly shard: HeldShard
  readonly scan: ShardCapture
  readonly begunAtMs: number
  readonly isLong: boolean
  readonly lastTurn: number
}

export class CaptureLoop {
  readonly #world: CaptureWorld
  readonly #table: ShardTable
  readonly #watch: ShardWatch
  readonly #judge: IndexJudge
  readonly #news: CaptureNews
  readonly #chores: ShardChores
  readonly #turns = new Map<Turn, Promise<void>>()
  readonly #ending = new AbortController()
  #turn = 0
  #fatal: unknown

  constructor(world: CaptureWorld, table: ShardTable) {
    const { client, settings, signal, clock, telemetry } = world
    const { index } = settings.elasticsearch
    this.#world = world
    this.#table = table
    this.#watch = new ShardWatch(
      {
        whole: () => readShards(client, index, signal),
        cheap: () => readCheckpoints(client, index, signal),
      },
      clock,
    )
    this.#judge = new IndexJudge(() => judgeIndices(client, settings.elasticsearch, signal), clock)
    this.#news = new CaptureNews(telemetry)
    this.#chores = new ShardChores(world, table, this.#news)
  }

  /**
   * Works until `signal` of the world aborts; what was read by then is still sent.
   * @throws errors that a retry cannot help, unless they are of one index only
   */
  async run(): Promise<void> {
    const { settings, clock, signal } = this.#world
    let failedLooks = 0
    while (!signal.aborted && this.#fatal === undefined) {
      const lookedAtMs = clock.nowMs()
      const hasLooked = await this.#look()
      failedLooks = hasLooked ? 0 : failedLooks + 1
      if (hasLooked) this.#work(lookedAtMs)
      const pauseMs = hasLooked
        ? settings.elasticsearch.pollIntervalMs
        : delayMs(BACK_OFF, failedLooks, Math.random)
      await clock.sleep(pauseMs, signal)
    }
    this.#ending.abort()
    await Promise.all([...this.#turns.values(), this.#chores.done()])
    if (this.#fatal !== undefined) throw this.#fatal
  }

  /** @returns whether Elasticsearch could be looked at */
  async #look(): Promise<boolean> {
    const { clock, signal, report } = this.#world
    const beganAtMs = clock.nowMs()
    const look = this.#table.beginLook()
    try {
      const view = await this.#watch.look(this.#table.needsLook(clock.nowMs()))
      this.#news.canLook()
      if (view === undefined) return true
      await this.#judge.look(view).catch((error: unknown) => this.#news.cannotJudge(error))
      const isCapturable = (indexUuid: string) => this.#judge.isCapturable(indexUuid)
      this.#table.see(view, look, { nowMs: clock.nowMs(), isCapturable })
      this.#news.tell(view, [...this.#table.shards()], this.#judge.refusals())
      return true
    } catch (error) {
      if (signal.aborted) return false
      if (!isWorthWaiting(error)) this.#fatal = error
      this.#news.cannotLook(error)
      leavePoll(this.#world, { beganAtMs, dueShards: 0, error })
      report.failing('capture', error)
      return false
    }
  }

  /** @param lookedAtMs when the look began that shows what there is to do. */
  #work(lookedAtMs: number): void {
    const { clock, report } = this.#world
    const nowMs = clock.nowMs()
    void this.#endOnBug(this.#chores.begin(nowMs))
    const due = [...this.#table.shards()].filter((shard) => this.#isDue(shard, nowMs))
    if (due.length > 0)
      this.#beginTurns(due, leavePoll(this.#world, { beganAtMs: lookedAtMs, dueShards: due.length }))
    if (due.some(({ isScanning }) => !isScanning))
      for (const turn of this.#turns.keys()) if (nowMs - turn.begunAtMs >= TURN_MS) turn.scan.yield()
    const trouble = this.#news.trouble([...this.#table.shards()])
    if (trouble === undefined) report.running('capture')
    else report.failing('capture', trouble)
  }

  /** Something of it is to be saved or read; what needs neither is settled here. */
  #isDue(shard: HeldShard, nowMs: number): boolean {
    const { seen } = shard
    if (seen === undefined || !shard.mayTry(nowMs)) return false
    const event = this.#observed(seen, this.#table.nextEpoch(shard.partition, nowMs))
    const [state, effects] = step(shard.state, event, limitsOf(this.#world.settings.elasticsearch))
    if (effects.length === 0) shard.accept(state)
    return effects.length > 0
  }

  #beginTurns(due: readonly HeldShard[], poll: TraceContext | null): void {
    const { client, clock, signal } = this.#world
    const refreshOnce = oncePerIndex((index) => refresh(client, index, signal))
    this.#turn++
    for (const shard of whoseTurn(due, [...this.#turns.keys()])) {
      const view = shard.seen!
      const { isLong } = shard
      const stop = new AbortController()
      const stops = AbortSignal.any([signal, this.#ending.signal, stop.signal])
      const refreshIndex = () => refreshOnce(view.index)
      const world = { ...this.#world, signal: stops }
      const scan = new ShardCapture(world, view, shard.state, refreshIndex, poll)
      const turn = { shard, scan, begunAtMs: clock.nowMs(), isLong, lastTurn: this.#turn }
      shard.lastTurn = this.#turn
      shard.beginScan(scan, stop)
      const taken = this.#take(turn, view, stops).finally(() => this.#turns.delete(turn))
      this.#turns.set(turn, this.#endOnBug(taken))
    }
  }

  /** What nobody expects to fail ends the poller in order, with what is under way finished. */
  #endOnBug(work: Promise<void>): Promise<void> {
    return work.catch((bug: unknown) => {
      this.#fatal ??= bug
    })
  }

  async #take({ shard, scan }: Turn, view: ShardView, stops: AbortSignal): Promise<void> {
    const { clock, report } = this.#world
    const before = scan.state.cursor
    const seen = this.#observed(view, this.#table.takeEpoch(shard.partition, clock.nowMs()))
    const { state, error } = await scan.run(seen)
    shard.endScan(state, this.#table.looksBegun)
    shard.isLong = scan.isYielding
    if (before.identity !== state.cursor.identity) this.#news.tellIdentity(before, state.cursor)
    if (error === undefined) {
      shard.failure = undefined
      return
    }
    shard.mustSave ||= state.cursor !== before // it may be the write of this cursor that failed
    if (stops.aborted) return
    if (!isOfIndex(error)) this.#fatal = error
    shard.fails(error, clock.nowMs())
    this.#news.tellFailure(view, error)
    report.failing('capture', error)
  }

  #observed({ identity, globalCheckpoint, maxSeqNo }: ShardView, newEpoch: number): Observed {
    const scope = this.#world.scope.hash
    return { kind: 'observed', identity, globalCheckpoint, maxSeqNo, scope, newEpoch }
  }
}

/** Shards of one index share a refresh; it must begin after their checkpoints were read, so once a round. */
function oncePerIndex(work: (index: string) => Promise<void>): (index: string) => Promise<void> {
  const begun = new Map<string, Promise<void>>()
  return (index) => {
    const promise = begun.get(index) ?? work(index)
    begun.set(index, promise)
    return promise
  }
}
