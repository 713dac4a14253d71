import { connectKafka, type KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { readLag, sumLag } from '@freshet/adapters/kafka/lag.ts'
import { tail } from '@freshet/adapters/kafka/tail.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { LastHeartbeats } from '@freshet/records/last-heartbeats.ts'
import { consumerGroups, topicName, type Worker } from '@freshet/records/topics.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import type { MetricName } from '@freshet/telemetry/metrics-table.ts'

const LAG_EVERY_MS = 2_000
const FRESH_BEATS_WITHIN_MS = 15_000
const CAUGHT_UP_WITHIN_MS = 60_000

export interface GroupLag {
  readonly worker: Worker
  readonly lagRecords: number
  readonly lagSeconds: number
}

/** What the services say of themselves, as anyone can read it: heartbeats, and the lag of the consumer groups. */
export class Pulse implements AsyncDisposable {
  readonly #beats = new LastHeartbeats()
  readonly #stop = new AbortController()
  readonly #work: Promise<unknown>
  #lagReadAtMs = 0
  lag: readonly GroupLag[] = []

  constructor(settings: Settings) {
    const connection = connectKafka(settings.kafka, { clientId: 'freshet-demo', log: quietLog })
    this.#work = Promise.allSettled([
      this.#listen(connection, settings.pipeline),
      this.#watchLag(connection, settings.pipeline),
    ])
  }

  /** Sum over all instances, also those that are gone. */
  metric(name: MetricName): number {
    let sum = 0
    for (const { metrics } of this.#beats.heartbeats) sum += metrics[name] ?? 0
    return sum
  }

  /** Waits until no consumer group has anything left, or `signal` aborts; the proof is dear, and has the last word. */
  async caughtUp(signal: AbortSignal): Promise<void> {
    const askedAtMs = Date.now()
    const isDone = () =>
      this.#lagReadAtMs > askedAtMs + LAG_EVERY_MS && this.lag.every(({ lagRecords }) => lagRecords === 0)
    while (!signal.aborted && !isDone() && Date.now() - askedAtMs < CAUGHT_UP_WITHIN_MS)
      await systemClock.sleep(100, signal)
  }

  /** The pipeline's counters once every living instance has spoken after this call. */
  async figures() {
    const askedAtMs = Date.now()
    const isFresh = () =>
      this.#beats.heartbeats.every(({ status, atMs }) => status === 'stopping' || atMs > askedAtMs)
    while (!isFresh() && Date.now() - askedAtMs < FRESH_BEATS_WITHIN_MS) await systemClock.sleep(100)
    return {
      changes: this.metric('freshet.poller.changes'),
      scored: this.metric('freshet.scorer.scored'),
      cached: this.metric('freshet.cache.rows'),
      deadLetters: this.metric('freshet.scorer.dead'),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#work
  }

  #listen(connection: KafkaConnection, pipeline: string): Promise<void> {
    return tail(connection, topicName(pipeline, 'heartbeats'), {
      fromTimestampMs: 0,
      signal: this.#stop.signal,
      onMessage: (_, message) => this.#beats.take(message),
    })
  }

  async #watchLag(connection: KafkaConnection, pipeline: string): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const lag = await readLags(connection, pipeline, this.#stop.signal).catch(() => undefined) // shown as it was; the next look is near
      if (lag !== undefined) {
        this.lag = lag
        this.#lagReadAtMs = Date.now()
      }
      await systemClock.sleep(LAG_EVERY_MS, this.#stop.signal)
    }
  }
}

function readLags(connection: KafkaConnection, pipeline: string, signal: AbortSignal): Promise<GroupLag[]> {
  return Promise.all(
    consumerGroups(pipeline).map(async (group) => ({
      worker: group.worker,
      ...sumLag(await readLag(connection, group, signal)),
    })),
  )
}
