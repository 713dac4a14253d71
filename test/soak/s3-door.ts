import { once } from 'node:events'
import {
  Agent,
  createServer,
  type IncomingMessage,
  type RequestOptions,
  request,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { kindOfRequest, type S3Kind } from './s3-kinds.ts'

/** What went through since the start. */
export interface S3Traffic {
  readonly requests: Readonly<Partial<Record<S3Kind, number>>>
  /** Bodies, without headers. */
  readonly sentBytes: number
  readonly receivedBytes: number
}

/**
 * A door before an S3 server that counts what goes through, and changes nothing: the address that a request was signed
 * for is handed on with it. Plain http, as the servers of `freshet up` speak it.
 */
export class S3Door implements AsyncDisposable {
  readonly url: string
  readonly #server: ReturnType<typeof createServer>
  readonly #agent: Agent
  readonly #to: URL
  readonly #requests: Partial<Record<S3Kind, number>> = {}
  #sentBytes = 0
  #receivedBytes = 0

  static async open(endpoint: string): Promise<S3Door> {
    const to = new URL(endpoint)
    if (to.protocol !== 'http:') throw new Error(`${endpoint}: S3 is counted over plain http only`)
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new S3Door(server, to)
  }

  private constructor(server: ReturnType<typeof createServer>, to: URL) {
    this.#server = server
    this.#to = to
    this.#agent = new Agent({ keepAlive: true })
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('request', (incoming, answer) => {
      this.#pass(incoming, answer).catch(() => answer.destroy()) // the caller sees a broken connection, as it would without us
    })
  }

  get traffic(): S3Traffic {
    return { requests: { ...this.#requests }, sentBytes: this.#sentBytes, receivedBytes: this.#receivedBytes }
  }

  async #pass(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const kind = kindOfRequest(incoming.method ?? 'GET', incoming.url ?? '/')
    this.#requests[kind] = (this.#requests[kind] ?? 0) + 1
    incoming.on('data', (bytes: Uint8Array) => {
      this.#sentBytes += bytes.length
    })
    const options: RequestOptions = {
      ...{ host: this.#to.hostname, port: this.#to.port, agent: this.#agent },
      ...{ method: incoming.method, path: incoming.url, headers: incoming.headers },
    }
    const outgoing = request(options)
    answer.on('close', () => {
      if (!answer.writableEnded) outgoing.destroy()
    })
    const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>
    const [[response]] = await Promise.all([answered, pipeline(incoming, outgoing)])
    response.on('data', (bytes: Uint8Array) => {
      this.#receivedBytes += bytes.length
    })
    answer.writeHead(response.statusCode ?? 502, response.rawHeaders)
    await pipeline(response, answer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    this.#agent.destroy()
  }
}
