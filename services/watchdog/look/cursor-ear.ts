import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { followTopic } from '@freshet/adapters/kafka/follow-topic.ts'
import { CursorBook } from '@freshet/reconcile/cursor-book.ts'
import { topicName } from '@freshet/records/topics.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'

/** Pollers at work write cursors many times a second, and whoever looks every ten seconds wants the last ones only. */
const GATHER_MS = 2_000

/** Hears from `.cursors` how far each shard is captured, as who captures nothing. */
export class CursorEar {
  readonly topic: string
  readonly #book = new CursorBook()
  readonly #nextOffsets = new Map<number, number>()
  #isUpToDate = false

  constructor(pipeline: string) {
    this.topic = topicName(pipeline, 'cursors')
  }

  /** Until `signal` aborts, through every outage of Kafka. */
  async listen(
    options: { readonly connection: KafkaConnection; readonly clock: Clock; readonly log: Log },
    signal: AbortSignal,
  ): Promise<void> {
    await followTopic(
      {
        ...{ ...options, topic: this.topic, sinceMs: 0, gatherMs: GATHER_MS },
        otherwise: 'what is captured is seen as it was before',
        onMessage: (partition, message) => {
          this.#book.hear(partition, message)
          this.#nextOffsets.set(partition, message.offset + 1)
        },
        onOutside: (partition, { offset, high }) => {
          this.#book.logEndsAt(partition, high)
          this.#nextOffsets.set(partition, offset)
        },
        onUpToDate: () => {
          this.#isUpToDate = true
        },
      },
      signal,
    )
  }

  /** By `indexUuid/shard`; of those that are `newer` nothing is known. */
  heard(): ReturnType<CursorBook['readable']> {
    return this.#book.readable()
  }

  /** All that was there when it began to listen is heard. */
  get isUpToDate(): boolean {
    return this.#isUpToDate
  }

  /** How far it has heard: by partition the offset after the last record. */
  get nextOffsets(): ReadonlyMap<number, number> {
    return this.#nextOffsets
  }
}
