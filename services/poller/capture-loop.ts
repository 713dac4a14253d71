/** Looks at all shards again and again, and captures those whose checkpoint has moved. The only file here that waits. */

import { refresh } from '@freshet/adapters/elasticsearch/read-page.ts'
import { readShards, type ShardsView, type ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { isFreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import { type Cursor, cursorKey } from '@freshet/records/cursor.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import { type Capture, newCapture, resume } from './capture.ts'
import { type CaptureWorld, captureShard } from './capture-shard.ts'

const BACK_OFF = { firstMs: 200, maxMs: 10_000 }
/** Shards read at the same time: enough to hide latency, few enough to spare the source. */
const MAX_SHARDS_AT_ONCE = 4

interface ShardState {
  capture: Capture
  /** Failed attempts in a row, and when the next may begin. */
  attempts: number
  notBeforeMs: number
}

/**
 * @param cursors  stored cursors by `indexUuid/shard`.
 * @param signal   stops the reading; `grace` bounds what was begun.
 * @throws errors that a retry cannot help
 */
export async function runCapture(
  world: CaptureWorld,
  cursors: ReadonlyMap<string, Cursor>,
  { signal, grace }: { signal: AbortSignal; grace: AbortSignal },
): Promise<void> {
  const { settings, client, clock, report } = world
  const { log, metrics } = world.telemetry
  const shards = new Map<string, ShardState>()
  for (const [key, cursor] of cursors)
    shards.set(key, { capture: resume(cursor), attempts: 0, notBeforeMs: 0 })
  let lastEpoch = Math.max(0, ...[...cursors.values()].map((cursor) => cursor.epoch))
  const active = new Map<string, Promise<void>>()
  let fatal: unknown
  let failedLooks = 0

  while (!signal.aborted && fatal === undefined) {
    const view = await look()
    if (view !== undefined) startScans(view)
    await clock.sleep(
      view === undefined
        ? delayMs(BACK_OFF, failedLooks, Math.random)
        : settings.elasticsearch.pollIntervalMs,
      signal,
    )
  }
  await Promise.all(active.values())
  if (fatal !== undefined) throw fatal

  async function look(): Promise<ShardsView | undefined> {
    try {
      const view = await readShards(client, settings.elasticsearch.index, signal)
      if (failedLooks > 0) {
        log.info('Elasticsearch answers again')
        report.running()
      }
      failedLooks = 0
      return view
    } catch (error) {
      if (signal.aborted) return undefined
      if (!isWorthWaiting(error)) fatal = error
      else if (failedLooks++ === 0) {
        log.warn(`cannot look at the shards, trying again: ${toFreshetError(error).message}`)
        report.failing(error)
      }
      return undefined
    }
  }

  function startScans({ readable }: ShardsView): void {
    const refreshOnce = oncePerIndex((index) => refresh(client, index, signal))
    let behind = 0
    for (const view of readable) {
      const key = cursorKey(view.identity.indexUuid, view.shard)
      const shard = shards.get(key) ?? {
        capture: newCapture(view.index, view.shard),
        attempts: 0,
        notBeforeMs: 0,
      }
      shards.set(key, shard)
      behind += Math.max(0, view.globalCheckpoint - shard.capture.cursor.seqNo)
      if (active.has(key) || active.size >= MAX_SHARDS_AT_ONCE || clock.nowMs() < shard.notBeforeMs) continue
      active.set(
        key,
        scan(view, shard, refreshOnce).finally(() => active.delete(key)),
      )
    }
    metrics.set('freshet.poller.behind', behind)
  }

  async function scan(
    view: ShardView,
    shard: ShardState,
    refreshOnce: (index: string) => Promise<void>,
  ): Promise<void> {
    const before = shard.capture.cursor
    const newEpoch = (lastEpoch = Math.max(clock.nowMs(), lastEpoch + 1))
    const { state, error } = await captureShard(
      world,
      shard.capture,
      view,
      newEpoch,
      () => refreshOnce(view.index),
      { signal, grace },
    )
    shard.capture = state
    if (before.identity !== state.cursor.identity) tellIdentity(before, state.cursor)
    if (error === undefined) {
      shard.attempts = 0
      return
    }
    if (signal.aborted) return
    if (!isWorthWaiting(error)) fatal = error
    shard.notBeforeMs = clock.nowMs() + delayMs(BACK_OFF, shard.attempts++, Math.random)
    log.warn(`capture of ${view.index}/${view.shard} is tried again: ${toFreshetError(error).message}`)
  }

  function tellIdentity(before: Cursor, { index, shard, seqNo, epoch }: Cursor): void {
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
