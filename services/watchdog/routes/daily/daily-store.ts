import { Buffer } from 'node:buffer'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { DAILY_KEY, type Daily, dailyRecord } from '@freshet/records/daily.ts'
import { topicName } from '@freshet/records/topics.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { readLast } from '../../read-last.ts'

const SAVE_WITHIN_MS = 5_000

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

  /** @throws KAFKA_UNREACHABLE, DEADLINE, RECORD_VERSION */
  async load(signal: AbortSignal): Promise<Daily | undefined> {
    const last = await readLast(this.#connection, { topic: this.#topic, key: DAILY_KEY }, signal)
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
