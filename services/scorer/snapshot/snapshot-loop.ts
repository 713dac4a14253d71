import type { Buffer } from 'node:buffer'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { type Batch, GroupConsumer, type Lease } from '@freshet/adapters/kafka/consumer.ts'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { type ScoreBatch, tryDecodeScoreBatch } from '@freshet/records/score-batch.ts'
import { groupName, topicName } from '@freshet/records/topics.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import { readManifest } from '@freshet/snapshot/manifest.ts'
import { ORPHAN_AGE_MS } from '@freshet/snapshot/retention.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { withGrace } from '@freshet/stage/grace.ts'
import { commitSpans } from '../commit-spans.ts'
import { tracedScoreAt } from '../document-steps.ts'
import { writeDeltas } from './flush.ts'
import type { FlushBell } from './flush-bell.ts'
import type { HeldScores, HeldTrace } from './held-scores.ts'
import { collectOrphans } from './orphans.ts'
import { PART_BYTES } from './put-file.ts'
import { SnapshotMembership } from './snapshot-membership.ts'
import type { SnapshotParts } from './snapshot-parts.ts'

export interface SnapshotDeps {
  readonly connection: KafkaConnection
  readonly store: ObjectStore
  readonly clock: Clock
  readonly bell?: FlushBell
}

/**
 * Writes `.scores` into the snapshot in S3 until the signal aborts; then writes what it holds, within 8 s. Positions are
 * the manifest's, so files and offsets move together; what Kafka is told is for those who watch the lag. When another
 * worker has written a partition of ours, so that we are the zombie, all that is held is dropped and read again.
 * @throws CONFIG_INVALID when the snapshot at s3.prefix is another pipeline's; errors that a retry cannot help
 */
export async function runSnapshot(context: ServiceContext, deps: SnapshotDeps): Promise<void> {
  const { telemetry, signal } = context
  for (let fences = 0; !signal.aborted; fences++) {
    try {
      await new SnapshotLoop(context, deps).run()
    } catch (error) {
      if (!isFreshetError(error, 'MANIFEST_FENCED')) throw error
      telemetry.log.warn(`${error.message}; starting again from the manifest`, {
        [ATTRIBUTES.errorType]: error.code,
      })
      await deps.clock.sleep(delayMs(FENCE_BACK_OFF, fences, Math.random), signal)
    }
  }
}

class SnapshotLoop {
  readonly #context: ServiceContext
  readonly #deps: SnapshotDeps
  readonly #parts: SnapshotParts
  #memberships = 0
  /** undefined between memberships. */
  #membership: SnapshotMembership | undefined
  #writing: Promise<void> = Promise.resolve()
  #merging: Promise<void> = Promise.resolve()
  /** Aborts when a flush is due before its time. */
  #early = new AbortController()
  /** Aborts when the time of the next flush, or what may be merged, is to be looked at again. */
  #news = new AbortController()
  /** Aborts when the next flush has taken what was held, so that there is room. */
  #room = new AbortController()

  constructor(context: ServiceContext, deps: SnapshotDeps) {
    const { settings, instance, telemetry, report } = context
    this.#context = context
    this.#deps = deps
    this.#parts = {
      store: deps.store,
      pipeline: settings.pipeline,
      instance,
      clock: deps.clock,
      log: telemetry.log,
      partBytes: PART_BYTES,
      settings: settings.snapshot,
      telemetry,
      report,
    }
  }

  async run(): Promise<void> {
    const stop = new AbortController()
    const { signal } = stop
    this.#deps.bell?.heardBy(() => this.#early.abort())
    const tasks = [this.#consume(signal), this.#write(signal), this.#merge(signal), this.#collect(signal)]
    try {
      await Promise.race(tasks) // at a stop the writing ends first, with a last flush
    } finally {
      stop.abort() // the consumer goes last: what is written at the end is told to Kafka under its lease
      await Promise.allSettled(tasks)
    }
  }

  #consume(stop: AbortSignal): Promise<void> {
    const { settings, telemetry } = this.#context
    const source = {
      groupId: groupName(settings.pipeline, 'snapshot'),
      topic: topicName(settings.pipeline, 'scores'),
    }
    const consumer = new GroupConsumer(this.#deps.connection, {
      ...source,
      onCommit: commitSpans(this.#context, source),
      stallMs: STALL_MS,
      log: telemetry.log,
      clock: this.#deps.clock,
      onAssigned: (partitions) => this.#begin(partitions, stop),
      onRevoked: () => this.#end(),
    })
    return consumer.run((batch, lease) => this.#take(batch, lease), stop)
  }

  async #begin(partitions: readonly number[], signal: AbortSignal): Promise<ReadonlyMap<number, number>> {
    const number = ++this.#memberships
    await Promise.allSettled([this.#writing, this.#merging]) // of the last membership: its signal has aborted
    const { pipeline } = this.#context.settings
    const manifest = (await readManifest(this.#deps.store, pipeline, signal))?.manifest
    const membership = new SnapshotMembership(partitions, manifest, this.#parts)
    if (number === this.#memberships) {
      this.#membership = membership
      this.#tellNews()
    }
    return membership.held.starts()
  }

  #end(): void {
    this.#memberships++
    this.#membership?.end()
    this.#membership = undefined
  }

  async #take({ partition, messages }: Batch, lease: Lease): Promise<void> {
    const held = this.#membership?.held
    if (held === undefined) throw new FreshetError('KAFKA_STALE', 'the partitions were taken back')
    for (const { offset, value } of messages) {
      if (!held.wants(partition, offset)) continue
      await this.#untilRoom(held, lease)
      const batch = this.#decode(partition, offset, value)
      held.add(partition, offset, batch, lease, this.#tracedOf(batch))
      await nextTurn() // sorting takes a few ms a batch
    }
  }

  #tracedOf(batch: ScoreBatch | null): readonly HeldTrace[] {
    if (batch === null) return []
    const sinceMs = this.#deps.clock.nowMs()
    const rows = this.#parts.telemetry.traced.rowsOf(batch.rows, sinceMs)
    return rows.map((row) => ({ score: tracedScoreAt(batch, row), sinceMs }))
  }

  async #untilRoom(held: HeldScores, lease: Lease): Promise<void> {
    while (held.rows >= this.#parts.settings.maxBufferedRows) {
      this.#early.abort()
      await this.#deps.clock.sleep(HEARTBEAT_MS, AbortSignal.any([this.#room.signal, lease.signal]))
      await lease.heartbeat()
    }
  }

  /** What is no score batch is passed over here: the cache worker, which reads the same, keeps its bytes in `.dead`. */
  #decode(partition: number, offset: number, value: Buffer | null): ScoreBatch | null {
    const batch = tryDecodeScoreBatch(value)
    if (!(batch instanceof FreshetError)) return batch
    this.#parts.log.error(`offset ${offset} of partition ${partition} is not in the snapshot`, batch)
    return null
  }

  /** Ends with a last flush when the service is to stop, without one when the loop fails. */
  async #write(stop: AbortSignal): Promise<void> {
    const stopping = this.#context.signal
    using grace = withGrace(stopping, LAST_FLUSH_MS)
    const signal = AbortSignal.any([grace.signal, stop])
    while (!stop.aborted) {
      await this.#untilDue(AbortSignal.any([stopping, stop]))
      const isLast = stopping.aborted // one that a stop comes into is not the last: more may have come meanwhile
      this.#early = new AbortController()
      if (this.#membership !== undefined && !stop.aborted) {
        this.#writing = this.#flush(this.#membership, signal)
        await this.#writing
      }
      if (!isLast) continue
      await Promise.allSettled([this.#merging]) // what it has put is committed, or given up, within the same time
      return
    }
  }

  async #untilDue(end: AbortSignal): Promise<void> {
    while (!end.aborted && !this.#early.signal.aborted) {
      const waitMs =
        this.#membership === undefined ? MAX_WAIT_MS : this.#membership.flushDueMs - this.#deps.clock.nowMs()
      if (waitMs <= 0) return
      const due = AbortSignal.any([end, this.#early.signal, this.#news.signal])
      await this.#deps.clock.sleep(Math.min(waitMs, MAX_WAIT_MS), due)
    }
  }

  async #flush(membership: SnapshotMembership, signal: AbortSignal): Promise<void> {
    const taken = membership.take()
    this.#room.abort()
    this.#room = new AbortController()
    if (taken.length === 0) return
    try {
      await writeDeltas(membership.own, taken, this.#parts, AbortSignal.any([signal, membership.over]))
      this.#tellNews()
    } catch (error) {
      if (!membership.over.aborted) throw error
      this.#parts.log.info('the partitions were given to others before what was held was written')
    }
  }

  /** Beside the deltas, since a large base takes a while. A merge that a stop interrupts is due again at the next start. */
  async #merge(stop: AbortSignal): Promise<void> {
    const stopping = this.#context.signal
    using grace = withGrace(stopping, LAST_FLUSH_MS) // the last flush waits for a commit of ours
    while (!stop.aborted) {
      const membership = this.#membership
      const news = this.#news.signal
      if (membership !== undefined && !stopping.aborted) {
        const commit = AbortSignal.any([grace.signal, stop, membership.over])
        this.#merging = membership.merges.run({ write: AbortSignal.any([commit, stopping]), commit })
        await this.#merging.catch((error: unknown) => {
          if (!membership.over.aborted) throw error
        })
      }
      await this.#deps.clock.sleep(MAX_WAIT_MS, AbortSignal.any([stop, news]))
    }
  }

  #tellNews(): void {
    const told = this.#news
    this.#news = new AbortController()
    told.abort()
  }

  async #collect(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      try {
        await collectOrphans(this.#parts, stop)
      } catch (error) {
        if (!stop.aborted) this.#parts.log.error('orphaned snapshot files are still there', error)
      }
      await this.#deps.clock.sleep(ORPHAN_AGE_MS, stop)
    }
  }
}

/** More than the longest page of work; waiting for S3 gives signs of life. */
const STALL_MS = 60_000
const HEARTBEAT_MS = 5_000
const LAST_FLUSH_MS = 8_000
/** A look in between costs nothing. */
const MAX_WAIT_MS = 60_000
const FENCE_BACK_OFF = { firstMs: 500, maxMs: 30_000 }
