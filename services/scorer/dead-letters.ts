import { Buffer } from 'node:buffer'
import type { IncomingMessage } from '@freshet/adapters/kafka/consumer.ts'
import type { OutgoingMessage, Producer } from '@freshet/adapters/kafka/producer.ts'
import type { ErrorCode } from '@freshet/errors/errors.ts'
import { CHANGE_HEADER } from '@freshet/records/change.ts'
import { DEAD_LETTER_HEADER, deadLetterRecord } from '@freshet/records/dead-letter.ts'
import { topicName } from '@freshet/records/topics.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { Throttle } from '@freshet/stage/throttle.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'

const LOG_INTERVAL_MS = 60_000

/** A message set aside, and why: no retry mends it. */
export interface DeadMessage {
  readonly message: Pick<IncomingMessage, 'offset' | 'key' | 'value' | 'headers'>
  readonly code: ErrorCode
  /** JSON pointer to the field; null when the whole message is the problem. */
  readonly at: string | null
  readonly reason: string
}

/** Where the messages stood, and which model met them. */
export interface DeadLetterSource {
  readonly topic: string
  readonly partition: number
  /** `name@version`; null when no model was asked. */
  readonly model: string | null
}

export interface DeadLettersOptions {
  readonly pipeline: string
  readonly producer: Pick<Producer, 'send'>
  readonly telemetry: Pick<Telemetry, 'log' | 'metrics' | 'traced'>
  readonly clock: Clock
}

/** The one door out of the scorer for what it cannot use: kept in `.dead` as it was, with the reason; counted; logged. */
export class DeadLetters {
  readonly #topic: string
  readonly #producer: DeadLettersOptions['producer']
  readonly #telemetry: DeadLettersOptions['telemetry']
  readonly #clock: Clock
  readonly #lines: Throttle

  constructor(options: DeadLettersOptions) {
    this.#topic = topicName(options.pipeline, 'dead')
    this.#producer = options.producer
    this.#telemetry = options.telemetry
    this.#clock = options.clock
    this.#lines = new Throttle(LOG_INTERVAL_MS, options.clock)
  }

  /** Resolves when Kafka has all of them; only then may their offsets be committed. Sent twice, they stand there twice. */
  async send(dead: readonly DeadMessage[], source: DeadLetterSource, signal: AbortSignal): Promise<void> {
    if (dead.length === 0) return
    const diedAtMs = this.#clock.nowMs()
    const letters = dead.map((one) => toMessage(one, source, diedAtMs))
    await this.#producer.send(this.#topic, letters, signal)
    this.#telemetry.metrics.add('freshet.scorer.dead', dead.length)
    for (const one of dead) this.#log(one, source)
  }

  /** The first of each code in a minute, with the number since the last line. */
  #log({ message, code, at, reason }: DeadMessage, { topic, partition, model }: DeadLetterSource): void {
    const heldBack = this.#lines.pass(code)
    if (heldBack === null) return
    this.#telemetry.log.warn(`a message of ${topic} is set aside: ${reason}`, {
      [ATTRIBUTES.eventName]: 'freshet.dead_letter',
      [ATTRIBUTES.errorType]: code,
      [ATTRIBUTES.key]: this.#telemetry.traced.names.shown(message.key?.toString() ?? ''),
      [ATTRIBUTES.messagingDestination]: topic,
      [ATTRIBUTES.messagingPartition]: `${partition}`,
      [ATTRIBUTES.messagingOffset]: message.offset,
      [ATTRIBUTES.deadRows]: heldBack + 1,
      ...(model !== null && { [ATTRIBUTES.model]: model }),
      ...(at !== null && { [ATTRIBUTES.field]: at }),
    })
  }
}

function toMessage(
  { message, code, at, reason }: DeadMessage,
  { topic, partition, model }: DeadLetterSource,
  diedAtMs: number,
): OutgoingMessage {
  const { key, value, offset, headers } = message
  const place = { topic, partition, offset, document: null }
  const letter = { version: 2, code, message: reason, at, model, ...place, diedAtMs } as const
  const change = headers[CHANGE_HEADER]
  return {
    partition: 0,
    key,
    value,
    headers: {
      ...(change === undefined ? {} : { [CHANGE_HEADER]: change }),
      [DEAD_LETTER_HEADER]: Buffer.from(deadLetterRecord.encode(letter)),
    },
    timestampMs: diedAtMs,
  }
}
