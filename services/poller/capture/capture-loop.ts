/** Looks at all shards again and again, and captures those whose checkpoint has moved. */
import { refresh } from '@freshet/adapters/elasticsearch/read-page.ts'
import { readShards, type ShardsView, type ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { isFreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import { type Cursor, cursorKey } from '@freshet/records/cursor.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import { type Capture, newCapture, resume } from './capture.ts'
import { type CaptureWorld, ShardCapture } from './capture-shard.ts'

const BACK_OFF = { firstMs: 200, maxMs: 10_000 }
/** Shards read at the same time: enough to hide latency, few enough to spare the source. */
const MAX_SHARDS_AT_ONCE = 4

interface ShardState {
  capture: Capture
  /** Failed attempts in a row, and when the next may begin. */
  attempts: number
  notBeforeMs: number
  /** The round of its last scan: who has waited longest is next. */
  lastRound: number
}

export class CaptureLoop {
  readonly #world: CaptureWorld
  readonly #shards = new Map<string, ShardState>()
  readonly #active = new Map<string, Promise<void>>()
  #unreadable: ReadonlySet<string> = new Set()
  #lastEpoch: number
  #round = 0
  #failedLooks = 0
  #fatal: unknown

  /** @param cursors stored cursors by `indexUuid/shard`. */
  constructor(world: CaptureWorld, cursors: ReadonlyMap<string, Cursor>) {
    this.#world = world
    for (const [key, cursor] of cursors) this.#shards.set(key, waiting(resume(cursor)))
    this.#lastEpoch = Math.max(0, ...[...cursors.values()].map((cursor) => cursor.epoch))
  }

  /**
   * Works until `signal` of the world aborts; what was read by then is still sent.
   * @throws errors that a retry cannot help
   */
  async run(): Promise<void> {
    const { settings, clock, signal } = this.#world
    while (!signal.aborted && this.#fatal === undefined) {
      const view = await this.#look()
      if (view !== undefined) this.#startScans(view)
      const pauseMs =
        view === undefined
          ? delayMs(BACK_OFF, this.#failedLooks, Math.random)
          : settings.elasticsearch.pollIntervalMs
      await clock.sleep(pauseMs, signal)
    }
    await Promise.all(this.#active.values())
    if (this.#fatal !== undefined) throw this.#fatal
  }

  async #look(): Promise<ShardsView | undefined> {
    const { settings, client, signal, telemetry } = this.#world
    try {
      const view = await readShards(client, settings.elasticsearch.index, signal)
      if (this.#failedLooks > 0) telemetry.log.info('Elasticsearch answers again')
      this.#failedLooks = 0
      this.#tellUnreadable(view.unreadable)
      this.#tellHealth()
      return view
    } catch (error) {
      if (signal.aborted) return undefined
      if (!isWorthWaiting(error)) this.#fatal = error
      else if (this.#failedLooks++ === 0)
        telemetry.log.warn(`cannot look at the shards, trying again: ${toFreshetError(error).message}`)
      this.#world.report.failing(error)
      return undefined
    }
  }

  #startScans({ readable }: ShardsView): void {
    const { client, clock, signal, telemetry } = this.#world
    const refreshOnce = oncePerIndex((index) => refresh(client, index, signal))
    this.#round++
    let behind = 0
    const due: { readonly key: string; readonly view: ShardView; readonly shard: ShardState }[] = []
    for (const view of readable) {
      const key = cursorKey(view.identity.indexUuid, view.shard)
      const shard = this.#shards.get(key) ?? waiting(newCapture(view.index, view.shard))
      this.#shards.set(key, shard)
      behind += Math.max(0, view.globalCheckpoint - shard.capture.cursor.seqNo)
      if (!this.#active.has(key) && clock.nowMs() >= shard.notBeforeMs) due.push({ key, view, shard })
    }
    telemetry.metrics.set('freshet.poller.behind', behind)
    due.sort((a, b) => a.shard.lastRound - b.shard.lastRound)
    for (const { key, view, shard } of due.slice(0, MAX_SHARDS_AT_ONCE - this.#active.size)) {
      shard.lastRound = this.#round
      this.#active.set(
        key,
        this.#scan(view, shard, refreshOnce).finally(() => this.#active.delete(key)),
      )
    }
  }

  async #scan(
    view: ShardView,
    shard: ShardState,
    refreshOnce: (index: string) => Promise<void>,
  ): Promise<void> {
    const { clock, signal, telemetry, report } = this.#world
    const before = shard.capture.cursor
    this.#lastEpoch = Math.max(clock.nowMs(), this.#lastEpoch + 1)
    const scan = new ShardCapture(this.#world, view, shard.capture, () => refreshOnce(view.index))
    const { identity, globalCheckpoint, maxSeqNo } = view
    const seen = {
      kind: 'observed',
      identity,
      globalCheckpoint,
      maxSeqNo,
      scope: this.#world.scope.hash,
    } as const
    const { state, error } = await scan.run({ ...seen, newEpoch: this.#lastEpoch })
    shard.capture = state
    if (before.identity !== state.cursor.identity) this.#tellIdentity(before, state.cursor)
    if (error === undefined) {
      shard.attempts = 0
      return
    }
    if (signal.aborted) return
    if (!isWorthWaiting(error)) this.#fatal = error
    shard.notBeforeMs = clock.nowMs() + delayMs(BACK_OFF, shard.attempts++, Math.random)
    report.failing(error)
    telemetry.log.warn(
      `capture of ${view.index}/${view.shard} is tried again: ${toFreshetError(error).message}`,
    )
  }

  /** Well again only when every shard is. */
  #tellHealth(): void {
    if ([...this.#shards.values()].every((shard) => shard.attempts === 0)) this.#world.report.running()
  }

  /** Not readable now is never "nothing new": it is told, and its cursor stays. */
  #tellUnreadable(names: readonly string[]): void {
    const { log, metrics } = this.#world.telemetry
    const now = new Set(names)
    for (const name of now)
      if (!this.#unreadable.has(name)) log.warn(`${name} has no primary that can be read; its capture waits`)
    for (const name of this.#unreadable) if (!now.has(name)) log.info(`${name} can be read again`)
    this.#unreadable = now
    metrics.set('freshet.poller.unreadable', now.size)
  }

  #tellIdentity(before: Cursor, { index, shard, seqNo, epoch }: Cursor): void {
    const { log, metrics } = this.#world.telemetry
    if (before.epoch !== epoch) {
      log.info(`capture of ${index}/${shard} starts at the beginning, epoch ${epoch}`)
      return
    }
    metrics.add('freshet.poller.rewinds')
    log.info(
      `the primary of ${index}/${shard} changed: read again from ${seqNo + 1}, was at ${before.seqNo + 1}`,
    )
  }
}

function waiting(capture: Capture): ShardState {
  return { capture, attempts: 0, notBeforeMs: 0, lastRound: 0 }
}

/** An index may be gone for a moment while it is made anew; what else a retry cannot help ends the poller. */
function isWorthWaiting(error: unknown): boolean {
  return isFreshetError(error) && (error.retryable || error.code === 'INDEX_MISSING')
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
