import { Buffer } from 'node:buffer'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import { ALERT_STATE_KEY, type AlertState, alertStateRecord } from '@freshet/records/alert-state.ts'
import { topicName } from '@freshet/records/topics.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'

const SAVE_WITHIN_MS = 5_000
/** Joining takes Kafka a few seconds by itself. */
const LOAD_WITHIN_MS = 20_000
/** The topic forgets after an hour, so what does not change is written again well before. */
const REWRITE_MS = 600_000

/** Keeps the alert state in `.heartbeats`, beside what it is about. */
export class AlertStore implements AsyncDisposable {
  readonly #connection: KafkaConnection
  readonly #topic: string
  readonly #clock: Clock
  readonly #producer: Producer
  #saved = { text: '', atMs: 0 }

  constructor(
    connection: KafkaConnection,
    { pipeline, clock, log }: { pipeline: string; clock: Clock; log: Log },
  ) {
    this.#connection = connection
    this.#topic = topicName(pipeline, 'heartbeats')
    this.#clock = clock
    this.#producer = new Producer(connection, { clock, log, deadlineMs: SAVE_WITHIN_MS })
  }

  /** @returns undefined when no watchdog has written within the hour. @throws RECORD_VERSION, KAFKA_UNREACHABLE */
  async load(signal: AbortSignal): Promise<AlertState | undefined> {
    let last: Buffer | null = null
    await readAll(this.#connection, this.#topic, {
      onMessage: (_partition, { key, value }) => {
        if (key?.toString() === ALERT_STATE_KEY) last = value
      },
      signal,
      deadlineMs: LOAD_WITHIN_MS,
    })
    return last === null ? undefined : alertStateRecord.decode(last)
  }

  /** Writes only what is news. @throws KAFKA_PRODUCE_DEADLINE */
  async save(state: AlertState, signal: AbortSignal): Promise<void> {
    const text = alertStateRecord.encode(state)
    const nowMs = this.#clock.nowMs()
    if (text === this.#saved.text && nowMs - this.#saved.atMs < REWRITE_MS) return
    const message = { partition: 0, key: Buffer.from(ALERT_STATE_KEY), value: Buffer.from(text) }
    await this.#producer.send(this.#topic, [message], signal)
    this.#saved = { text, atMs: nowMs }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#producer[Symbol.asyncDispose]()
  }
}
