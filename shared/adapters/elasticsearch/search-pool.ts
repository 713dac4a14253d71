/**
 * Searches for callers who cannot wait: one try over connections that stay open, cut off by a signal. Plain node:http,
 * because of the client's own transport only its sockets would be used.
 */
import { Buffer } from 'node:buffer'
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { readCertificate } from './connect.ts'
import { POOL_FILTER } from './cut-pool.ts'
import { parseProblem } from './search-bytes.ts'
import { refusal } from './translate.ts'

export interface PoolSearchOptions {
  /** Instead of that of the settings: reading is all that it must allow. */
  readonly apiKey?: string | undefined
  /** Connections, and so searches at once; more wait for one. */
  readonly maxSockets: number
}

/** A pool of that size is not one to be scored within any deadline. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024
/** Servers and proxies close what is idle for longer. */
const IDLE_MS = 30_000
const DOING = 'searching for a pool'

export class PoolSearcher implements Disposable {
  readonly #base: URL
  readonly #agent: HttpAgent | HttpsAgent
  readonly #request: typeof httpRequest
  readonly #headers: Readonly<Record<string, string>>

  /** Connects when it is first asked. @throws CONFIG_INVALID for a certificate that cannot be read */
  constructor(
    settings: Settings['elasticsearch'],
    { apiKey = settings.apiKey, maxSockets }: PoolSearchOptions,
  ) {
    const { username, password, ...base } = parts(settings.url)
    this.#base = base.url
    const isTls = this.#base.protocol === 'https:'
    const pool = { keepAlive: true, maxSockets, maxFreeSockets: maxSockets, timeout: IDLE_MS }
    this.#agent = isTls
      ? new HttpsAgent({ ...pool, ...(settings.caFile && { ca: readCertificate(settings.caFile) }) })
      : new HttpAgent(pool)
    this.#request = isTls ? httpsRequest : httpRequest
    this.#headers = {
      accept: 'application/json',
      'content-type': 'application/json',
      ...authorization(apiKey, username, password),
    }
  }

  /**
   * @param body of the search, as JSON.
   * @returns bytes for `cutPool`
   * @throws DEADLINE as soon as `signal` aborts, which ends the search on the server as well; ELASTICSEARCH_UNREACHABLE,
   *   ELASTICSEARCH_UNAUTHORIZED, ELASTICSEARCH_REFUSED, INDEX_MISSING, SHARD_UNAVAILABLE, PAGE_TOO_LARGE
   */
  search(index: string, body: string, signal: AbortSignal): Promise<Buffer> {
    const path = `${this.#base.pathname.replace(/\/$/, '')}/${encodeURIComponent(index)}/_search?${PARAMETERS}`
    const { hostname, port } = this.#base
    const options = {
      method: 'POST',
      host: unbracketed(hostname),
      port,
      path,
      agent: this.#agent,
      headers: this.#headers,
    }
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(late(signal))
      const request = this.#request(options)
      const onAbort = () => {
        request.destroy()
        reject(late(signal))
      }
      signal.addEventListener('abort', onAbort, { once: true })
      answerTo(request, body)
        .then(resolve, reject)
        .finally(() => signal.removeEventListener('abort', onAbort))
    })
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}

const PARAMETERS = `filter_path=${POOL_FILTER}&request_cache=true`

function answerTo(request: ClientRequest, body: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) =>
      reject(new FreshetError('ELASTICSEARCH_UNREACHABLE', `${DOING}: ${cause.message}`, { cause }))
    request.on('error', fail)
    let hasResponse = false
    request.on('response', (response) => {
      hasResponse = true
      readAll(response).then(resolve, reject)
    })
    // A server that switches to another protocol gives neither a response nor an error.
    request.on('close', () => hasResponse || fail(new Error('closed without an answer')))
    request.end(body)
  })
}

function readAll(response: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes <= MAX_ANSWER_BYTES) return
      response.destroy()
      reject(new FreshetError('PAGE_TOO_LARGE', `${DOING}: more than ${MAX_ANSWER_BYTES} bytes`))
    })
    response.on('error', (cause) =>
      reject(new FreshetError('ELASTICSEARCH_UNREACHABLE', `${DOING}: the answer broke off`, { cause })),
    )
    response.on('end', () => {
      const whole = Buffer.concat(chunks, bytes)
      const status = response.statusCode ?? 0
      if (status === 200) resolve(whole)
      else reject(refusal(status, parseProblem(whole), DOING))
    })
  })
}

function late(signal: AbortSignal): FreshetError {
  return new FreshetError('DEADLINE', `${DOING}: the time was over before the answer was there`, {
    cause: signal.reason,
  })
}

function parts(address: string): { url: URL; username: string; password: string } {
  const url = new URL(address)
  return { url, username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) }
}

function authorization(apiKey: string | undefined, user: string, password: string): Record<string, string> {
  if (apiKey !== undefined) return { authorization: `ApiKey ${apiKey}` }
  if (user === '') return {}
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }
}

/** As sockets want an IPv6 address. */
function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1')
}
