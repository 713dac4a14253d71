import type { ServerResponse } from 'node:http'
import type { Clock } from '@freshet/stage/clock.ts'

export interface EventStreamOptions {
  readonly maxClients: number
  /** Silence is broken by a comment after this time, so that proxies keep the connection and clients know that we live. */
  readonly heartbeatMs: number
  /** A client that has not read what it was sent for so long is cut off. */
  readonly stallMs: number
  readonly clock: Pick<Clock, 'nowMs'>
}

/** What is to be seen. */
export interface Picture {
  /** One line of JSON. */
  readonly text: string
  /** How old it is. */
  readonly ageSeconds: number
}

interface Client {
  readonly response: ServerResponse
  /** What it is to get once it reads again: only the newest matters. */
  waiting: string | null
  stalledSinceMs: number | null
  wroteAtMs: number
}

/** How soon a browser that lost the stream asks again. */
const RETRY_MS = 2_000

/** Server-sent events to whoever looks at the page: a bounded number, and what nobody reads is not heaped up. */
export class EventStream implements Disposable {
  readonly #options: EventStreamOptions
  readonly #clients = new Set<Client>()

  constructor(options: EventStreamOptions) {
    this.#options = options
  }

  get clients(): number {
    return this.#clients.size
  }

  /**
   * @param first what it gets at once
   * @returns false when there are as many as there may be; the response is then yours
   */
  accept(response: ServerResponse, first: Picture): boolean {
    if (this.#clients.size >= this.#options.maxClients) return false
    const client: Client = { response, waiting: null, stalledSinceMs: null, wroteAtMs: 0 }
    this.#clients.add(client)
    response.on('close', () => this.#clients.delete(client))
    response.on('drain', () => this.#drained(client))
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no', // nginx would hold it back
    })
    this.#write(client, `retry: ${RETRY_MS}\n${eventOf(first)}`)
    return true
  }

  send(picture: Picture): void {
    const event = eventOf(picture)
    for (const client of this.#clients)
      if (client.stalledSinceMs === null) this.#write(client, event)
      else client.waiting = event
  }

  /** To be called every second or so. */
  tend(): void {
    const { heartbeatMs, stallMs, clock } = this.#options
    const nowMs = clock.nowMs()
    for (const client of this.#clients)
      if (client.stalledSinceMs !== null) {
        if (nowMs - client.stalledSinceMs >= stallMs) client.response.destroy()
      } else if (nowMs - client.wroteAtMs >= heartbeatMs) this.#write(client, ': still here\n\n')
  }

  [Symbol.dispose](): void {
    for (const { response } of this.#clients) response.end()
  }

  #write(client: Client, text: string): void {
    const nowMs = this.#options.clock.nowMs()
    client.wroteAtMs = nowMs
    if (!client.response.write(text)) client.stalledSinceMs = nowMs
  }

  #drained(client: Client): void {
    const { waiting } = client
    client.waiting = null
    client.stalledSinceMs = null
    if (waiting !== null) this.#write(client, waiting)
  }
}

function eventOf({ text, ageSeconds }: Picture): string {
  return `event: age\ndata: ${ageSeconds}\n\nevent: state\ndata: ${text}\n\n`
}
