import { Buffer } from 'node:buffer'
import type { OutgoingMessage, Producer } from '@freshet/adapters/kafka/producer.ts'
import type { ErrorCode } from '@freshet/errors/errors.ts'
import { CHANGE_HEADER } from '@freshet/records/change.ts'
import { DEAD_LETTER_HEADER, deadLetterRecord } from '@freshet/records/dead-letter.ts'
import { topicName } from '@freshet/records/topics.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import type { DeadChange } from './infer/change-message.ts'

const LOG_INTERVAL_MS = 60_000

/** Whose change it was and which model met it. */
export interface DeadLetterSource {
  readonly partition: number
  /** `name@version`. */
  readonly model: string
}

export interface DeadLettersOptions {
  readonly pipeline: string
  readonly producer: Pick<Producer, 'send'>
  readonly telemetry: Pick<Telemetry, 'log' | 'metrics'>
  readonly clock: Clock
}

/** The one door out of the scorer for what cannot be scored: kept in `.dead` as it was, with the reason; counted; logged. */
export class DeadLetters {
  readonly #topic: string
  readonly #producer: DeadLettersOptions['producer']
  readonly #telemetry: DeadLettersOptions['telemetry']
  readonly #clock: Clock
  readonly #logged = new Map<ErrorCode, { atMs: number; since: number }>()

  constructor(options: DeadLettersOptions) {
    this.#topic = topicName(options.pipeline, 'dead')
    this.#producer = options.producer
    this.#telemetry = options.telemetry
    this.#clock = options.clock
  }

  /** Resolves when Kafka has all of them; only then may their offsets be committed. Sent twice, they stand there twice. */
  async send(dead: readonly DeadChange[], source: DeadLetterSource, signal: AbortSignal): Promise<void> {
    if (dead.length === 0) return
    const diedAtMs = this.#clock.nowMs()
    const letters = dead.map((change) => toMessage(change, source, diedAtMs))
    await this.#producer.send(this.#topic, letters, signal)
    this.#telemetry.metrics.add('freshet.scorer.dead', dead.length)
    for (const change of dead) this.#log(change, source)
  }

  /** The first of each code in a minute, with the number since the last line: a flood of them must not flood the log. */
  #log({ message, code, at, reason }: DeadChange, { partition, model }: DeadLetterSource): void {
    const { atMs, since } = this.#logged.get(code) ?? { atMs: Number.NEGATIVE_INFINITY, since: 0 }
    const nowMs = this.#clock.nowMs()
    if (nowMs - atMs < LOG_INTERVAL_MS) {
      this.#logged.set(code, { atMs, since: since + 1 })
      return
    }
    this.#logged.set(code, { atMs: nowMs, since: 0 })
    this.#telemetry.log.warn(`a change cannot be scored: ${reason}`, {
      [ATTRIBUTES.eventName]: 'freshet.dead_letter',
      [ATTRIBUTES.errorType]: code,
      [ATTRIBUTES.key]: message.key?.toString() ?? '',
      [ATTRIBUTES.messagingPartition]: `${partition}`,
      [ATTRIBUTES.messagingOffset]: message.offset,
      [ATTRIBUTES.deadRows]: since + 1,
      [ATTRIBUTES.model]: model,
      ...(at !== null && { [ATTRIBUTES.field]: at }),
    })
  }
}

function toMessage(
  { message, code, at, reason }: DeadChange,
  { partition, model }: DeadLetterSource,
  diedAtMs: number,
): OutgoingMessage {
  const { key, value, offset, headers } = message
  const letter = { version: 1, code, message: reason, at, model, partition, offset, diedAtMs } as const
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
