import { FreshetError } from '@freshet/errors/errors.ts'
import type { OutgoingMessage } from '../outgoing-message.ts'
import type { Producer } from '../producer.ts'

/**
 * Sends of several callers in one request. A producer has one request under way, so eight partitions whose batches are
 * ready at the same time would wait for eight answers; here those of one turn of the event loop go together, and those
 * who come while a request is under way in the next one. Nobody waits for longer than for this turn. As many messages
 * wait as callers bring that each wait for their own, so the bound is theirs.
 */
export class GatheredSends implements Pick<Producer, 'send'> {
  readonly #producer: Pick<Producer, 'send'>
  readonly #next = new Map<string, Gathering>()
  readonly #last = new Map<string, Promise<void>>()

  constructor(producer: Pick<Producer, 'send'>) {
    this.#producer = producer
  }

  /**
   * As the producer's own; but what fails fails all who went together.
   * @param signal gives up at once; the messages may still be written, with those of the others
   * @throws what the producer throws, and KAFKA_PRODUCE_DEADLINE when `signal` aborts
   */
  async send(topic: string, messages: readonly OutgoingMessage[], signal: AbortSignal): Promise<void> {
    if (messages.length === 0) return
    const stopped = () =>
      new FreshetError(
        'KAFKA_PRODUCE_DEADLINE',
        `the caller stopped with ${messages.length} messages for ${topic} not acknowledged`,
      )
    if (signal.aborted) throw stopped()
    const gathering = this.#next.get(topic) ?? this.#gather(topic)
    gathering.messages.push(...messages)
    gathering.callers++
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const leave = () => {
      if (--gathering.callers === 0) this.#forsake(topic, gathering)
      reject(stopped())
    }
    signal.addEventListener('abort', leave)
    gathering.sent.then(resolve, reject)
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  #gather(topic: string): Gathering {
    const messages: OutgoingMessage[] = []
    const forsaken = new AbortController()
    const before = this.#last.get(topic) ?? Promise.resolve()
    const sent = before.then(endOfTurn).then(() => {
      if (forsaken.signal.aborted) return // before it began
      this.#next.delete(topic)
      return this.#producer.send(topic, messages, forsaken.signal)
    })
    this.#last.set(
      topic,
      sent.catch(() => {}), // told to its callers; the next go on
    )
    const gathering: Gathering = { messages, callers: 0, forsaken, sent }
    this.#next.set(topic, gathering)
    return gathering
  }

  /** Nobody is left in it; who comes now must not go with it. */
  #forsake(topic: string, gathering: Gathering): void {
    if (this.#next.get(topic) === gathering) this.#next.delete(topic)
    gathering.forsaken.abort()
  }
}

/** Once all that is ready now has been done. */
function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

interface Gathering {
  readonly messages: OutgoingMessage[]
  /** Who still wait for it. */
  callers: number
  /** Aborts when none is left. */
  readonly forsaken: AbortController
  readonly sent: Promise<void>
}
