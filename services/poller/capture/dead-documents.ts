import { Buffer } from 'node:buffer'
import type { OutgoingMessage, Producer } from '@freshet/adapters/kafka/producer.ts'
import type { Unusable } from '@freshet/capture/hit-to-change.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { CHANGE_HEADER, encodeChangeHeader } from '@freshet/records/change.ts'
import { DEAD_LETTER_HEADER, deadLetterRecord } from '@freshet/records/dead-letter.ts'
import { topicName } from '@freshet/records/topics.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { Throttle } from '@freshet/stage/throttle.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'

const LOG_INTERVAL_MS = 60_000

interface DeadDocumentsOptions {
  readonly settings: Pick<Settings, 'pipeline'>
  readonly producer: Pick<Producer, 'send'>
  readonly telemetry: Pick<Telemetry, 'log' | 'metrics' | 'traced'>
  readonly clock: Clock
}

/** The one door out of the poller for documents that cannot travel: kept in `.dead` with the reason; counted; logged. */
export class DeadDocuments {
  readonly #options: DeadDocumentsOptions
  readonly #topic: string
  readonly #lines: Throttle

  constructor(options: DeadDocumentsOptions) {
    this.#options = options
    this.#topic = topicName(options.settings.pipeline, 'dead')
    this.#lines = new Throttle(LOG_INTERVAL_MS, options.clock)
  }

  /** Resolves when Kafka has all of them. */
  async send(dead: readonly Unusable[], signal: AbortSignal): Promise<void> {
    if (dead.length === 0) return
    const { producer, telemetry, clock } = this.#options
    const diedAtMs = clock.nowMs()
    await producer.send(
      this.#topic,
      dead.map((one) => toMessage(one, diedAtMs)),
      signal,
    )
    telemetry.metrics.add('freshet.poller.dead', dead.length)
    for (const one of dead) this.#log(one)
  }

  /** The first of each code in a minute, with the number since the last line. */
  #log({ code, reason, hit }: Unusable): void {
    const heldBack = this.#lines.pass(code)
    if (heldBack === null) return
    const { log, traced } = this.#options.telemetry
    const name = traced.names.shown(`${hit.index}/${hit.id}`)
    log.warn(`document ${name} is set aside: ${reason}`, {
      [ATTRIBUTES.eventName]: 'freshet.dead_letter',
      [ATTRIBUTES.errorType]: code,
      [ATTRIBUTES.key]: name,
      [ATTRIBUTES.sourceIndex]: hit.index,
      [ATTRIBUTES.deadRows]: heldBack + 1,
    })
  }
}

function toMessage({ code, reason, hit, change }: Unusable, diedAtMs: number): OutgoingMessage {
  const { index, id } = hit
  const letter = deadLetterRecord.encode({
    version: 2,
    code,
    message: reason,
    at: null,
    model: null,
    topic: null,
    partition: null,
    offset: null,
    document: { index, id },
    diedAtMs,
  })
  return {
    partition: 0,
    key: change.key,
    value: code === 'DOCUMENT_TOO_LARGE' ? null : change.source,
    headers: { [CHANGE_HEADER]: encodeChangeHeader(change), [DEAD_LETTER_HEADER]: Buffer.from(letter) },
    timestampMs: diedAtMs,
  }
}
