import { Agent as HttpAgent, type OutgoingHttpHeaders } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Problem } from '@freshet/gateway/routes/schemas.ts'
import { Breaker } from '@freshet/stage/breaker.ts'
import { exchange, isStale, type Reply } from './http-exchange.ts'
import type { ClientReason } from './results.ts'

export interface CallOptions {
  /** Milliseconds until the caller goes on, with an answer or without; else the client's. */
  readonly deadlineMs?: number
  /** Gives up at once; the promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal
}

export interface GatewayCallsOptions {
  readonly url: string
  readonly apiKey: string | undefined
  readonly ca: string | undefined
  readonly deadlineMs: number
  readonly maxInFlight: number
  readonly traceparent: () => string | undefined
}

/** What came of a call: the gateway's own words, or why there are none. */
export type Called =
  | { readonly kind: 'answered'; readonly body: unknown }
  | { readonly kind: 'refused'; readonly problem: Problem }
  | { readonly kind: 'failed'; readonly reason: ClientReason }

/** So many failures in a row, and nobody waits any more; then one call at a time looks whether it is back. */
const BREAKER = { misses: 5, restMs: 500 }
/** A caller in such a hurry says nothing about the gateway when it gets no answer. */
const HURRY_MS = 10
/** What the way back takes: the gateway is given so much less. */
const RESERVE_MS = 5
/** Longer ones are none at all for Node. */
const MAX_TIMER_MS = 2 ** 31 - 1
/** Connections that are kept while nothing is asked. */
const IDLE_SOCKETS = 64

/** Calls of one gateway over connections that are kept, none longer than its deadline. */
export class GatewayCalls implements Disposable {
  readonly #options: GatewayCallsOptions
  readonly #base: URL
  readonly #agent: HttpAgent
  readonly #breaker = new Breaker(BREAKER)
  #inFlight = 0

  /** @throws TypeError when the URL is none */
  constructor(options: GatewayCallsOptions) {
    this.#options = options
    this.#base = new URL(options.url.endsWith('/') ? options.url : `${options.url}/`)
    const pool = {
      keepAlive: true,
      maxSockets: options.maxInFlight,
      maxFreeSockets: IDLE_SOCKETS,
      scheduling: 'lifo', // those that are not needed any more grow old and are closed
    } as const
    this.#agent =
      this.#base.protocol === 'https:'
        ? new HttpsAgent({ ...pool, ...(options.ca !== undefined && { ca: options.ca }) })
        : new HttpAgent(pool)
  }

  /**
   * Never rejects but with the reason of the caller's own signal.
   * @param path below the gateway's address, e.g. `v1/scores`
   */
  async call(
    method: 'GET' | 'POST',
    path: string,
    { body, deadlineMs = this.#options.deadlineMs, signal }: CallOptions & { readonly body?: unknown } = {},
  ): Promise<Called> {
    signal?.throwIfAborted()
    if (!(deadlineMs > 0)) return failed('gateway_late')
    if (this.#inFlight >= this.#options.maxInFlight) return failed('client_overloaded')
    const ticket = this.#breaker.admit(performance.now())
    if (ticket === 0) return failed('gateway_cut_off')
    this.#inFlight++
    const deadline = new Deadline(deadlineMs, signal)
    try {
      const ask = () => this.#exchange(method, path, body, deadline)
      const reply = await ask().catch((error: unknown) => {
        if (isStale(error) && !deadline.signal.aborted) return ask() // the gateway only reads: twice does no harm
        throw error
      })
      this.#breaker.succeeded()
      return inWords(reply)
    } catch {
      if (deadline.isLate && deadlineMs > HURRY_MS) this.#breaker.missed(ticket, performance.now())
      else if (deadline.signal.aborted) this.#breaker.undecided(ticket)
      else this.#breaker.missed(ticket, performance.now())
      if (!deadline.isLate) signal?.throwIfAborted()
      return failed(deadline.isLate ? 'gateway_late' : 'gateway_unreachable')
    } finally {
      deadline[Symbol.dispose]()
      this.#inFlight--
    }
  }

  #exchange(method: 'GET' | 'POST', path: string, body: unknown, deadline: Deadline): Promise<Reply> {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const { apiKey, traceparent } = this.#options
    const parent = traceparent()
    const headers: OutgoingHttpHeaders = {
      'x-deadline-ms': deadline.leftForGatewayMs(),
      ...(text !== undefined && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
      }),
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
      ...(parent !== undefined && { traceparent: parent }),
    }
    const url = new URL(path, this.#base)
    return exchange({ url, method, headers, body: text, agent: this.#agent }, deadline.signal)
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}

function failed(reason: ClientReason): Called {
  return { kind: 'failed', reason }
}

function inWords({ status, text }: Reply): Called {
  const body = objectIn(text)
  if (body === undefined) return failed('gateway_malformed')
  if (status === 200) return { kind: 'answered', body }
  return 'code' in body && 'status' in body
    ? { kind: 'refused', problem: body as Problem }
    : failed('gateway_malformed')
}

function objectIn(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** Aborts when the time is over, or when the caller does. */
class Deadline implements Disposable {
  readonly #abort = new AbortController()
  readonly #endsAtMs: number
  readonly #timer: NodeJS.Timeout
  readonly #caller: AbortSignal | undefined
  #isOver = false
  isLate = false

  constructor(deadlineMs: number, caller: AbortSignal | undefined) {
    this.#endsAtMs = performance.now() + deadlineMs
    this.#caller = caller
    // After a standstill of this process the answer may lie in the socket already: that is read first.
    this.#timer = setTimeout(() => setImmediate(this.#expire), Math.min(deadlineMs, MAX_TIMER_MS))
    caller?.addEventListener('abort', this.#giveUp, { once: true })
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** A whole number from 1; of a short deadline the half. */
  leftForGatewayMs(): number {
    const leftMs = this.#endsAtMs - performance.now()
    return Math.max(1, Math.floor(leftMs - Math.min(RESERVE_MS, leftMs / 2)))
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#caller?.removeEventListener('abort', this.#giveUp)
  }

  readonly #expire = () => {
    if (this.#isOver) return
    this.isLate = true
    this.#abort.abort()
  }

  readonly #giveUp = () => this.#abort.abort()
}
