import { FreshetError } from '@freshet/errors/errors.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { delayMs } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import type { KafkaConnection } from './connect.ts'
import { toKafkaError } from './kafka-error.ts'
import type { Producer as KafkaJsProducer } from './kafkajs/kafkajs.ts'
import { quit } from './kafkajs/quit.ts'
import type { OutgoingMessage } from './outgoing-message.ts'
import { Lane } from './send/lane.ts'
import { toParcels } from './send/parcel.ts'
import { SendDeadline } from './send/send-deadline.ts'
import { bytesOf, splitRequests } from './send/split-requests.ts'

export type { OutgoingMessage } from './outgoing-message.ts'

/**
 * Writes messages so that "resolved" means written, which kafkajs alone does not promise:
 * - its `send` can resolve although a partition's leader moved and its messages went nowhere, so the response must
 *   name every partition sent; the missing ones are sent again;
 * - a request that timed out leaves its socket open and half dead, so after any error the client is thrown away and
 *   the same messages go through a new one;
 * - one request is in flight at a time, so a retry cannot overtake.
 *
 * It is not idempotent: kafkajs rolls its sequence back after a failed send although the broker may have written the
 * batch, and the next, different batch is then dropped as a duplicate with a success code. So messages may be written
 * twice, and a duplicate may follow a later message of its partition: readers keep the highest revision.
 */
export class Producer implements AsyncDisposable {
  readonly #connection: KafkaConnection
  readonly #clock: Clock
  readonly #log: Log
  readonly #deadlineMs: number
  readonly #lane = new Lane(MAX_WAITING_SENDS)
  #client: KafkaJsProducer | undefined
  #underWay: Promise<unknown> | undefined

  constructor(connection: KafkaConnection, options: { clock: Clock; log: Log; deadlineMs: number }) {
    this.#connection = connection
    this.#clock = options.clock
    this.#log = options.log
    this.#deadlineMs = options.deadlineMs
  }

  /**
   * Resolves when the brokers have acknowledged all messages; order is kept within a partition. Sends of other callers
   * wait for their turn. When it rejects, any part may be written, and sending it again is safe.
   * @param signal gives up at once; what is under way may still be written
   * @throws KAFKA_PRODUCE_DEADLINE after `deadlineMs` from the call or when `signal` aborts, KAFKA_MESSAGE_TOO_LARGE
   *   naming the message, KAFKA_UNAUTHORIZED, QUEUE_FULL with too many callers waiting
   */
  async send(topic: string, messages: readonly OutgoingMessage[], signal: AbortSignal): Promise<void> {
    if (messages.length === 0) return
    using deadline = new SendDeadline(this.#clock, this.#deadlineMs, signal)
    const write = async () => {
      for (const request of splitRequests(messages)) await this.#write(topic, request, deadline)
    }
    try {
      await this.#lane.run(write, deadline.signal)
    } catch (error) {
      deadline.check(topic, messages.length)
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#discard()
  }

  /** One request, again and again until every partition in it is acknowledged. */
  async #write(topic: string, request: OutgoingMessage[], deadline: SendDeadline): Promise<void> {
    let left = request
    for (let attempt = 0; ; attempt++) {
      deadline.check(topic, left.length)
      try {
        left = await deadline.race(this.#attempt(topic, left))
        if (left.length === 0) return
        this.#log.warn('the response does not name all partitions; what is missing is sent again', {
          [ATTRIBUTES.messagingDestination]: topic,
          [ATTRIBUTES.missingMessages]: left.length,
        })
        await this.#discard() // its idea of who leads which partition is wrong
      } catch (error) {
        const discarded = this.#discard()
        deadline.check(topic, left.length) // whose time is over does not wait for a broker that may be frozen
        await discarded
        const known = toKafkaError(error, `writing to ${topic}`)
        if (known.code === 'KAFKA_MESSAGE_TOO_LARGE') return await this.#halve(topic, left, deadline, known)
        if (!known.retryable && known.code !== 'TOPIC_MISSING') throw known // a new topic takes a moment to be known
        deadline.lastError = known
        this.#log.warn(`${known.message}; the same messages are sent again`, {
          [ATTRIBUTES.messagingDestination]: topic,
          [ATTRIBUTES.errorType]: known.code,
        })
      }
      await this.#clock.sleep(delayMs(BACK_OFF, attempt, Math.random), deadline.signal)
    }
  }

  /** @returns the messages whose partitions the response does not name as written */
  async #attempt(topic: string, messages: OutgoingMessage[]): Promise<OutgoingMessage[]> {
    const client = (this.#client ??= this.#open())
    await client.connect()
    const sending = client.send({ topic, acks: -1, messages: toParcels(messages) })
    this.#underWay = sending
    const response = await sending.finally(() => {
      if (this.#underWay === sending) this.#underWay = undefined
    })
    const written = new Set<number>()
    for (const { partition, errorCode } of response) if (errorCode === 0) written.add(partition)
    return messages.filter(({ partition }) => !written.has(partition))
  }

  /** The broker judges batches, not messages: only one that is alone in its request is too large by itself. */
  async #halve(topic: string, left: OutgoingMessage[], deadline: SendDeadline, refusal: FreshetError) {
    if (left.length === 1) {
      const { key, partition } = left[0]!
      const name = key ? `"${key.toString('utf8', 0, 200)}"` : 'without a key'
      throw new FreshetError(
        'KAFKA_MESSAGE_TOO_LARGE',
        `message ${name} of ${bytesOf(left[0]!)} bytes is too large for ${topic}[${partition}]`,
        { cause: refusal },
      )
    }
    const middle = left.length >>> 1
    await this.#write(topic, left.slice(0, middle), deadline)
    await this.#write(topic, left.slice(middle), deadline)
  }

  #open(): KafkaJsProducer {
    return this.#connection.newClient().producer({
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition!,
      allowAutoTopicCreation: false,
      idempotent: false,
      maxInFlightRequests: 1,
      retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 },
    })
  }

  async #discard(): Promise<void> {
    const client = this.#client
    const underWay = this.#underWay
    this.#client = undefined
    if (client === undefined) return
    await quit(client, DISCONNECT_MS)
    // A send that still tries to reach a broker connects again behind our back.
    const again = () => quit(client, DISCONNECT_MS)
    void underWay?.then(again, again)
  }
}

const BACK_OFF = { firstMs: 250, maxMs: 2_000 }
const MAX_WAITING_SENDS = 1_000
const DISCONNECT_MS = 2_000
