import { Buffer } from 'node:buffer'
import { Agent as HttpAgent, type OutgoingHttpHeaders, validateHeaderValue } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Problem } from '@freshet/gateway/routes/schemas.ts'
import { Breaker } from '@freshet/stage/breaker.ts'
import { CallDeadline } from './call-deadline.ts'
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

/** The parts of one call: together they count as one failure at most. */
export interface Burst {
  hasMissed: boolean
}

interface Sending {
  /** The body, as JSON. */
  readonly text?: string
  readonly burst?: Burst
}

interface Prepared {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly text: string | undefined
  readonly headers: OutgoingHttpHeaders
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
/** Connections that are kept while nothing is asked. */
const IDLE_SOCKETS = 64
const API_KEY = /^[\x21-\x7e]+$/

/** Calls of one gateway over connections that are kept, none longer than its deadline. */
export class GatewayCalls implements Disposable {
  readonly #options: GatewayCallsOptions
  readonly #base: URL
  readonly #agent: HttpAgent
  readonly #breaker = new Breaker(BREAKER)
  #inFlight = 0

  /** @throws TypeError when the URL is none of http or https, or the key could not stand in a header */
  constructor(options: GatewayCallsOptions) {
    const apiKey = options.apiKey?.trim() // one read from a file ends with a newline
    if (apiKey !== undefined && !API_KEY.test(apiKey))
      throw new TypeError('apiKey: visible ASCII characters are wanted, and at least one')
    this.#options = { ...options, apiKey }
    this.#base = new URL(options.url.endsWith('/') ? options.url : `${options.url}/`)
    if (!['http:', 'https:'].includes(this.#base.protocol))
      throw new TypeError(`url: http:// or https:// is wanted, not ${this.#base.protocol}`)
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
    { text, burst, deadlineMs = this.#options.deadlineMs, signal }: CallOptions & Sending = {},
  ): Promise<Called> {
    signal?.throwIfAborted()
    if (!(deadlineMs > 0)) return failed('gateway_late')
    if (this.#inFlight >= this.#options.maxInFlight) return failed('client_overloaded')
    const headers = this.#headersOf(text)
    if (headers === undefined) return failed('request_unsendable')
    const ticket = this.#breaker.admit(performance.now())
    if (ticket === 0) return failed('gateway_cut_off')
    this.#inFlight++
    const deadline = new CallDeadline(deadlineMs, signal)
    try {
      const ask = () => this.#exchange({ method, path, text, headers }, deadline)
      const reply = await ask().catch((error: unknown) => {
        if (isStale(error) && !deadline.signal.aborted) return ask() // the gateway only reads: twice does no harm
        throw error
      })
      this.#breaker.succeeded()
      return inWords(reply)
    } catch {
      const isMiss = deadline.isLate ? deadlineMs > HURRY_MS : !deadline.signal.aborted
      if (isMiss && burst?.hasMissed !== true) this.#breaker.missed(ticket, performance.now())
      else this.#breaker.undecided(ticket)
      if (isMiss && burst !== undefined) burst.hasMissed = true
      if (!deadline.isLate) signal?.throwIfAborted()
      return failed(deadline.isLate ? 'gateway_late' : 'gateway_unreachable')
    } finally {
      deadline[Symbol.dispose]()
      this.#inFlight--
    }
  }

  /** @returns undefined when the caller's own trace context cannot be sent, which says nothing about the gateway */
  #headersOf(text: string | undefined): OutgoingHttpHeaders | undefined {
    const { apiKey, traceparent } = this.#options
    try {
      const parent = traceparent()
      if (parent !== undefined) validateHeaderValue('traceparent', parent)
      return {
        ...(text !== undefined && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
        }),
        ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
        ...(parent !== undefined && { traceparent: parent }),
      }
    } catch {
      return undefined
    }
  }

  #exchange({ method, path, text, headers }: Prepared, deadline: CallDeadline): Promise<Reply> {
    const url = new URL(path, this.#base)
    const timed = { ...headers, 'x-deadline-ms': deadline.leftForGatewayMs() }
    return exchange({ url, method, headers: timed, body: text, agent: this.#agent }, deadline.signal)
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}

export function failed(reason: ClientReason): Called {
  return { kind: 'failed', reason }
}

function inWords({ status, text }: Reply): Called {
  const body = objectIn(text)
  if (body === undefined) return failed('gateway_malformed')
  if (status === 200) return { kind: 'answered', body }
  return isProblem(body) ? { kind: 'refused', problem: body } : failed('gateway_malformed')
}

/** A proxy's own error may have the same names, and say something else under them. */
export function isProblem(value: unknown): value is Problem {
  const { code, status, detail } = (value ?? {}) as Partial<Problem>
  return typeof code === 'string' && typeof status === 'number' && typeof detail === 'string'
}

function objectIn(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
