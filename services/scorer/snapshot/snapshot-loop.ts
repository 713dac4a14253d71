import { Buffer } from 'node:buffer'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { type Batch, GroupConsumer, type Lease } from '@freshet/adapters/kafka/consumer.ts'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { decodeScoreBatch, type ScoreBatch } from '@freshet/records/score-batch.ts'
import { groupName, topicName } from '@freshet/records/topics.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import { readManifest } from '@freshet/snapshot/manifest.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { withGrace } from '@freshet/stage/grace.ts'
import { type FlushParts, mergeWhereDue, writeDeltas } from './flush.ts'
import type { FlushBell } from './flush-bell.ts'
import { HeldScores } from './held-scores.ts'
import { collectOrphans, ORPHAN_AGE_MS } from './orphans.ts'

export interface SnapshotDeps {
  readonly connection: KafkaConnection
  readonly store: ObjectStore
  readonly bell?: FlushBell
}

/**
 * Writes `.scores` into the snapshot in S3 until the signal aborts; then writes what it holds, within 8 s. Positions are
 * the manifest's, so files and offsets move together; what Kafka is told is for those who watch the lag. When another
 * worker has written a partition of ours, so that we are the zombie, all that is held is dropped and read again.
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
      await systemClock.sleep(delayMs(FENCE_BACK_OFF, fences, Math.random), signal)
    }
  }
}

class SnapshotLoop {
  readonly #context: ServiceContext
  readonly #deps: SnapshotDeps
  readonly #parts: FlushParts
  #terms = 0
  /** Of the present term; undefined between terms. */
  #held: HeldScores | undefined
  #writing: Promise<void> = Promise.resolve()
  /** Aborts when a flush is due before its time. */
  #early = new AbortController()
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
      clock: systemClock,
      log: telemetry.log,
      settings: settings.snapshot,
      telemetry,
      report,
    }
  }

  async run(): Promise<void> {
    const stop = new AbortController()
    this.#deps.bell?.heardBy(() => this.#early.abort())
    const tasks = [this.#consume(stop.signal), this.#write(stop.signal), this.#collect(stop.signal)]
    try {
      await Promise.race(tasks)
    } finally {
      stop.abort() // the consumer goes last: what is written at the end is told to Kafka under its lease
      await Promise.allSettled(tasks)
    }
  }

  #consume(stop: AbortSignal): Promise<void> {
    const { settings, telemetry } = this.#context
    const consumer = new GroupConsumer(this.#deps.connection, {
      groupId: groupName(settings.pipeline, 'snapshot'),
      topic: topicName(settings.pipeline, 'scores'),
      stallMs: STALL_MS,
      log: telemetry.log,
      clock: systemClock,
      onAssigned: (partitions) => this.#begin(partitions, stop),
      onRevoked: () => this.#end(),
    })
    return consumer.run((batch, lease) => this.#take(batch, lease), stop)
  }

  async #begin(partitions: readonly number[], signal: AbortSignal): Promise<ReadonlyMap<number, number>> {
    const term = ++this.#terms
    await this.#writing.catch(() => {}) // of the last term: its signal has aborted
    const held = new HeldScores(partitions, (await readManifest(this.#deps.store, signal))?.manifest)
    if (term === this.#terms) this.#held = held
    return held.starts()
  }

  #end(): void {
    this.#terms++
    this.#held = undefined
  }

  async #take({ partition, messages }: Batch, lease: Lease): Promise<void> {
    const held = this.#held
    if (held === undefined) throw new FreshetError('KAFKA_STALE', 'the term of the partition is over')
    for (const { offset, value } of messages) {
      if (!held.wants(partition, offset)) continue
      await this.#untilRoom(held, lease)
      held.add(partition, offset, this.#decode(partition, offset, value), lease)
      await nextTurn() // sorting takes a few ms a batch
    }
  }

  async #untilRoom(held: HeldScores, lease: Lease): Promise<void> {
    while (held.rows >= this.#parts.settings.maxBufferedRows) {
      this.#early.abort()
      await systemClock.sleep(HEARTBEAT_MS, AbortSignal.any([this.#room.signal, lease.signal]))
      await lease.heartbeat()
    }
  }

  /** What is no score batch is passed over here: the cache worker, which reads the same, keeps its bytes in `.dead`. */
  #decode(partition: number, offset: number, value: Buffer | null): ScoreBatch | null {
    try {
      return decodeScoreBatch(value ?? Buffer.alloc(0))
    } catch (error) {
      if (!isFreshetError(error, 'RECORD_MALFORMED')) throw error
      this.#parts.log.error(`offset ${offset} of partition ${partition} is not in the snapshot`, error)
      return null
    }
  }

  /** Ends with a last flush when the service is to stop, without one when the loop fails. */
  async #write(stop: AbortSignal): Promise<void> {
    const stopping = this.#context.signal
    using grace = withGrace(stopping, LAST_FLUSH_MS)
    const signal = AbortSignal.any([grace.signal, stop])
    while (!stop.aborted) {
      const due = AbortSignal.any([stopping, stop, this.#early.signal])
      await systemClock.sleep(this.#parts.settings.intervalSeconds * 1_000, due)
      this.#early = new AbortController()
      if (this.#held !== undefined && !stop.aborted) {
        this.#writing = this.#flush(this.#held, signal)
        await this.#writing
      }
      if (stopping.aborted) return
    }
  }

  async #flush(held: HeldScores, signal: AbortSignal): Promise<void> {
    const taken = held.take()
    this.#room.abort()
    this.#room = new AbortController()
    if (taken.length === 0) return
    const term = taken[0]!.lease.signal
    const during = AbortSignal.any([signal, term])
    try {
      await writeDeltas(held, taken, this.#parts, during)
      await mergeWhereDue(held, this.#parts, AbortSignal.any([during, this.#context.signal]))
    } catch (error) {
      if (!term.aborted) throw error
      this.#parts.log.info('the partitions were given to others before what was held was written')
    }
  }

  async #collect(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      try {
        await collectOrphans(this.#parts, stop)
      } catch (error) {
        if (!stop.aborted) this.#parts.log.error('orphaned snapshot files are still there', error)
      }
      await systemClock.sleep(ORPHAN_AGE_MS, stop)
    }
  }
}

/** More than the longest page of work; waiting for S3 gives signs of life. */
const STALL_MS = 60_000
const HEARTBEAT_MS = 5_000
const LAST_FLUSH_MS = 8_000
const FENCE_BACK_OFF = { firstMs: 500, maxMs: 30_000 }
