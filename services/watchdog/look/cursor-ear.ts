import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import type { IncomingMessage } from '@freshet/adapters/kafka/consumer.ts'
import { CursorBook } from '@freshet/reconcile/cursor-book.ts'
import type { Cursor } from '@freshet/records/cursor.ts'
import { topicName } from '@freshet/records/topics.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { listen } from './ear.ts'

/** Pollers at work write cursors many times a second, and whoever looks every ten seconds wants the last ones only. */
const GATHER_MS = 2_000

/** Hears from `.cursors` how far each shard is captured, as who captures nothing. */
export class CursorEar {
  readonly topic: string
  readonly #book = new CursorBook()
  readonly #nextOffsets = new Map<number, number>()

  constructor(pipeline: string) {
    this.topic = topicName(pipeline, 'cursors')
  }

  /** Until `signal` aborts, through every outage of Kafka. */
  async listen(
    options: { readonly connection: KafkaConnection; readonly clock: Clock; readonly log: Log },
    signal: AbortSignal,
  ): Promise<void> {
    const onMessage = (partition: number, message: IncomingMessage) => {
      this.#book.hear(partition, message)
      this.#nextOffsets.set(partition, message.offset + 1)
    }
    const sinceMs = () => 0 // the book knows what it has heard, and no partition is left behind another
    await listen({ ...options, topic: this.topic, sinceMs, gatherMs: GATHER_MS, onMessage }, signal)
  }

  /** By `indexUuid/shard`. @throws RECORD_VERSION for a shard that a newer release has captured last */
  cursors(): ReadonlyMap<string, Cursor> {
    return this.#book.cursors()
  }

  /** How far it has heard: by partition the offset after the last record. */
  get nextOffsets(): ReadonlyMap<number, number> {
    return this.#nextOffsets
  }
}
