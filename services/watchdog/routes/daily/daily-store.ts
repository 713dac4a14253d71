import { Buffer } from 'node:buffer'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import { DAILY_KEY, type Daily, dailyRecord } from '@freshet/records/daily.ts'
import { topicName } from '@freshet/records/topics.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'

const SAVE_WITHIN_MS = 5_000
/** Joining takes Kafka a few seconds by itself. */
const LOAD_WITHIN_MS = 20_000

/** Remembers in `.control` which daily line people have. Both ways are used once a day. */
export class DailyStore {
  readonly #connection: KafkaConnection
  readonly #topic: string
  readonly #options: { readonly clock: Clock; readonly log: Log }

  constructor(
    connection: KafkaConnection,
    { pipeline, clock, log }: { readonly pipeline: string; readonly clock: Clock; readonly log: Log },
  ) {
    this.#connection = connection
    this.#topic = topicName(pipeline, 'control')
    this.#options = { clock, log }
  }

  /** @throws KAFKA_UNREACHABLE, RECORD_VERSION */
  async load(signal: AbortSignal): Promise<Daily | undefined> {
    let last: Buffer | null = null
    await readAll(this.#connection, this.#topic, {
      onMessage: (_partition, { key, value }) => {
        if (key?.toString() === DAILY_KEY) last = value
      },
      signal,
      deadlineMs: LOAD_WITHIN_MS,
    })
    return last === null ? undefined : dailyRecord.decode(last)
  }

  /** @throws KAFKA_PRODUCE_DEADLINE */
  async save(daily: Daily, signal: AbortSignal): Promise<void> {
    await using producer = new Producer(this.#connection, { ...this.#options, deadlineMs: SAVE_WITHIN_MS })
    const message = {
      partition: 0,
      key: Buffer.from(DAILY_KEY),
      value: Buffer.from(dailyRecord.encode(daily)),
    }
    await producer.send(this.#topic, [message], signal)
  }
}
