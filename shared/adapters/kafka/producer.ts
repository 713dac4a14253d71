import type { KafkaConnection } from './connect.ts'
import type { OutgoingMessage } from './outgoing-message.ts'
import { type LaneOptions, ProducerLane } from './producer-lane.ts'

export type { OutgoingMessage } from './outgoing-message.ts'

export interface ProducerOptions extends LaneOptions {
  /** Clients that share the partitions: while one waits for its brokers, another encodes. Default: 1. */
  readonly lanes?: number
}

/**
 * Writes messages so that "resolved" means written (how: ProducerLane). A partition always goes through the same lane,
 * so its messages keep their order.
 */
export class Producer implements AsyncDisposable {
  readonly #lanes: readonly ProducerLane[]

  constructor(connection: KafkaConnection, { lanes = 1, ...options }: ProducerOptions) {
    this.#lanes = Array.from({ length: lanes }, () => new ProducerLane(connection, options))
  }

  /**
   * Resolves when the brokers have acknowledged all messages; order is kept within a partition. Sends of other callers
   * wait for their turn. When it rejects, any part may be written, and sending it again is safe.
   * @param signal gives up at once; what is under way may still be written
   * @throws KAFKA_PRODUCE_DEADLINE after `deadlineMs` from the call or when `signal` aborts, KAFKA_MESSAGE_TOO_LARGE
   *   naming the message, KAFKA_UNAUTHORIZED, QUEUE_FULL with too many callers waiting
   */
  async send(topic: string, messages: readonly OutgoingMessage[], signal: AbortSignal): Promise<void> {
    const shares = this.#lanes.map((): OutgoingMessage[] => [])
    for (const message of messages) shares[message.partition % shares.length]!.push(message)
    // All lanes are over when this is: a caller who sends again must not meet what is still on its way.
    const sends = shares.map((share, lane) => this.#lanes[lane]!.send(topic, share, signal))
    for (const outcome of await Promise.allSettled(sends))
      if (outcome.status === 'rejected') throw outcome.reason
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane[Symbol.asyncDispose]()))
  }
}
