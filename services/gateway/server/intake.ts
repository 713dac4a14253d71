import type { IncomingMessage, RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import { FreshetError } from '@freshet/errors/errors.ts'
import { problemReply } from '../problem-reply.ts'
import type { Reply } from '../reply.ts'
import type { LoopWatch } from './loop-watch.ts'
import type { RequestsInHand } from './requests-in-hand.ts'
import type { WorkInHand } from './work-in-hand.ts'
import { writeReply } from './write-reply.ts'

/** A request, and since when it waits. */
interface Accepted extends IncomingMessage {
  acceptedAtMs?: number
}

/** What is known of a request before anybody looks at what it asks for. */
interface AtTheDoor {
  readonly method: string
  readonly url: string
  /** As announced; 0 for what comes without a length, which is looked at when it has come. */
  readonly bodyBytes: number
}

export interface IntakeOptions {
  readonly loop: Pick<LoopWatch, 'arrivedAtMs' | 'ticks'>
  readonly inHand: Pick<RequestsInHand, 'count'>
  readonly work: Pick<WorkInHand, 'isTooMuch' | 'end'>
  /** The longest that anybody waits for an answer. */
  readonly deadlineMs: number
  /** Told once for each: the request never comes to the app, which counts the others. */
  readonly onRefused: (request: { readonly method: string; readonly tookMs: number }) => void
}

/** Proxies may be asked for a whole address, and servers are to take it. */
const IS_TIMED = /^(https?:\/\/[^/]*)?\/v1\//i
/** So many answers from memory, each with its garbage and a core that others use too, still end within half the deadline. */
const MAX_IN_HAND = 1_000
/** So many requests in one turn of the loop are work of our own; fewer behind a standstill are let in, however late. */
const BUSY_TURN_REQUESTS = 128
/** Of the deadline, that a request of a busy loop may have waited before it was seen. */
const MAX_WAITED_SHARE = 0.5

/**
 * The app's door. A request's deadline counts from the moment at which it can have arrived, not from when the loop came
 * to see it. When more comes in than can be answered in time, what is over is told so at once (503), which costs less
 * than an answer; of requests with many keys or documents fewer are too much. What is asked of the gateway itself, such as
 * its health, is always let in.
 */
export class Intake {
  readonly #options: IntakeOptions
  readonly #heldSinceMs = new WeakMap<Socket, number>()
  #tick = 0
  #requestsInTick = 0

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** Hands on to the listener what it lets in, and answers the rest itself. */
  admitting(listener: RequestListener): RequestListener {
    return (incoming: Accepted, response) => {
      const { method, url, headers, socket } = incoming
      const bodyBytes = Number(headers['content-length'] ?? 0)
      const asked = { method: method!, url: url!, bodyBytes }
      const admitted = this.admit(asked, this.#heldSinceMs.get(socket))
      if (typeof admitted !== 'number') return writeReply(response, admitted)
      incoming.acceptedAtMs = admitted
      listener(incoming, response)
    }
  }

  /** The earliest moment at which what is read now can have arrived. */
  arrivedAtMs(): number {
    return this.#options.loop.arrivedAtMs(performance.now())
  }

  /**
   * To be told with a connection that is given to node:http: since when something of what lies in the socket is there. Whatever
   * request is found in it counts from then; one of which the head is yet to come, from when that has come.
   */
  holdsSince(socket: Socket, sinceMs: number): void {
    this.#heldSinceMs.set(socket, sinceMs)
    setImmediate(() => this.#heldSinceMs.delete(socket)) // it is read in this turn of the loop
  }

  /**
   * @param sinceMs when its first bytes came, where it was not seen whole at once
   * @returns when it was accepted, in milliseconds of `performance.now()`; or what it is refused with, and that is counted
   */
  admit(asked: AtTheDoor, sinceMs?: number): number | Reply {
    const nowMs = performance.now()
    const arrivedAtMs = this.#options.loop.arrivedAtMs(nowMs)
    const acceptedAtMs = sinceMs === undefined ? arrivedAtMs : Math.min(arrivedAtMs, sinceMs)
    const waitedMs = nowMs - acceptedAtMs
    if (!this.#isRefused(asked, waitedMs)) return acceptedAtMs
    this.#options.onRefused({ method: asked.method, tookMs: waitedMs })
    this.#options.work.end(0)
    return problemReply(OVERLOADED)
  }

  #isRefused(asked: AtTheDoor, waitedMs: number): boolean {
    return (this.#isTooMuch(waitedMs) || this.#isTooHeavy(asked, waitedMs)) && IS_TIMED.test(asked.url)
  }

  #isTooHeavy({ method, bodyBytes }: AtTheDoor, waitedMs: number): boolean {
    return method === 'POST' && this.#options.work.isTooMuch(bodyBytes, waitedMs)
  }

  #isTooMuch(waitedMs: number): boolean {
    const { loop, inHand, deadlineMs } = this.#options
    if (loop.ticks !== this.#tick) {
      this.#tick = loop.ticks
      this.#requestsInTick = 0
    }
    this.#requestsInTick++
    if (inHand.count > MAX_IN_HAND) return true
    return waitedMs > deadlineMs * MAX_WAITED_SHARE && this.#requestsInTick > BUSY_TURN_REQUESTS
  }
}

/** When the request was accepted, in milliseconds of `performance.now()`; now, without an intake before. */
export function acceptedAtMs(incoming: Accepted | undefined): number {
  return incoming?.acceptedAtMs ?? performance.now()
}

export const OVERLOADED = new FreshetError(
  'OVERLOADED',
  'more requests are in hand than can be answered in time',
)
