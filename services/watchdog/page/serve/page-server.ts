/** The status page over HTTP: its files, the same facts as JSON, and a stream of them. It reads; nothing can be changed here. */
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { EventStream, type Picture } from './event-stream.ts'
import { PageAccess, type Refusal } from './page-access.ts'
import { type PageFile, pageFiles } from './page-files.ts'
import { boundQuiet } from './quiet-connections.ts'

/** A page for the people of one pipeline, on a small machine. */
const MAX_CLIENTS = 50
const MAX_CONNECTIONS = 200
const MAX_QUIET_CONNECTIONS = 100
const HEARTBEAT_MS = 10_000
const STALL_MS = 15_000
const TEND_MS = 1_000
/** Whoever reads slowly is cut off then, when the page ends. */
const CLOSE_WITHIN_MS = 1_000
const SERVER_OPTIONS = {
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 30_000,
  maxHeaderSize: 16 * 1024,
}

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
}

/** What is shown. */
export interface Shown extends Picture {
  /** Whether the watchdog still looks. */
  readonly isFresh: boolean
}

export interface PageServerOptions {
  readonly settings: Pick<Settings['watchdog'], 'pageHost' | 'pageKeys'> & { readonly pagePort: number }
  readonly shown: () => Shown
  readonly clock: Clock
}

/** The page on a port. Disposing ends all streams and closes; those who look come back to whoever listens then. */
export class PageServer implements AsyncDisposable {
  readonly #server: Server
  readonly #events: EventStream
  readonly #access: PageAccess
  readonly #shown: () => Shown
  readonly #files: ReadonlyMap<string, PageFile>
  readonly #tending: NodeJS.Timeout
  readonly url: string

  /** @throws PORT_TAKEN; CONFIG_INVALID when the address is none of this machine */
  static async listen({ settings, shown, clock }: PageServerOptions): Promise<PageServer> {
    const { pageHost: host, pagePort: port } = settings
    const server = createServer(SERVER_OPTIONS)
    server.maxConnections = MAX_CONNECTIONS
    boundQuiet(server, MAX_QUIET_CONNECTIONS)
    server.listen({ host, port })
    try {
      await once(server, 'listening')
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException
      if (code === 'EADDRINUSE') throw new FreshetError('PORT_TAKEN', `${host}:${port} is in use`, { cause })
      throw new FreshetError('CONFIG_INVALID', `cannot listen on ${host}:${port}: ${code}`, { cause })
    }
    return new PageServer(server, { settings, shown, clock })
  }

  private constructor(server: Server, { settings, shown, clock }: PageServerOptions) {
    this.#server = server
    this.#shown = shown
    this.#access = new PageAccess(settings.pageKeys)
    this.#files = pageFiles()
    this.#events = new EventStream({
      maxClients: MAX_CLIENTS,
      heartbeatMs: HEARTBEAT_MS,
      stallMs: STALL_MS,
      clock,
    })
    this.#tending = setInterval(() => this.#events.tend(), TEND_MS)
    server.on('request', (request, response) => this.#answer(request, response))
    server.on('error', () => {}) // one that could not be accepted comes again
    const { address, family, port } = server.address() as AddressInfo
    this.url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  }

  /** To all who look: there is something new. */
  send(): void {
    if (this.#events.clients > 0) this.#events.send(this.#shown())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#tending)
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#events[Symbol.dispose]()
    this.#server.closeIdleConnections()
    const force = setTimeout(() => this.#server.closeAllConnections(), CLOSE_WITHIN_MS)
    await closed
    clearTimeout(force)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume()
    response.on('error', () => {}) // whoever is gone hears nothing
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
    const reply = this.#replyTo(request, response)
    if (reply === STREAMED) return
    const { status, headers, body } = reply
    const length = status === NOT_MODIFIED ? {} : { 'content-length': body.length }
    response.writeHead(status, { ...length, ...headers }).end(request.method === 'HEAD' ? undefined : body)
  }

  #replyTo(request: IncomingMessage, response: ServerResponse): Reply | typeof STREAMED {
    const { method = '', headers } = request
    const { path, host } = targetOf(request)
    if (method !== 'GET' && method !== 'HEAD')
      return textReply(405, 'Only GET and HEAD: this page is to be read.', { allow: 'GET, HEAD' })
    if (path === '/healthz') return this.#health()
    const refusal = this.#access.refusal({ ...headers, host })
    if (refusal !== undefined) return refusalReply(refusal)
    if (path === '/api/status') return this.#status()
    if (path === '/events') return this.#stream(method, response)
    const file = this.#files.get(path)
    if (file === undefined) return textReply(404, 'Nothing here. The page is at /.')
    return fileReply(file, headers['if-none-match'])
  }

  #health(): Reply {
    return this.#shown().isFresh
      ? textReply(200, 'looking')
      : textReply(503, 'The last look at the pipeline is long ago, or there was none yet.')
  }

  #status(): Reply {
    const { text, ageSeconds } = this.#shown()
    const headers = {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      age: String(Math.floor(ageSeconds)),
    }
    return { status: 200, headers, body: Buffer.from(text) }
  }

  #stream(method: string, response: ServerResponse): Reply | typeof STREAMED {
    if (method !== 'GET') return textReply(405, 'A stream has no end to ask for.', { allow: 'GET' })
    if (this.#events.accept(response, this.#shown())) return STREAMED
    return textReply(503, `Only ${MAX_CLIENTS} may look at the same time.`, { 'retry-after': '30' })
  }
}

/** A proxy asks for `http://host/path`; what its target names then is the host, whatever its header says. */
function targetOf({ url = '/', headers: { host } }: IncomingMessage): {
  path: string
  host: string | undefined
} {
  const [, named = host, target = '/'] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url) ?? [undefined, host, url]
  return { path: target.replace(/\?.*$/s, '') || '/', host: named }
}

interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

const NOT_MODIFIED = 304

/** The response is the stream's. */
const STREAMED = Symbol('streamed')

function fileReply({ body, mediaType, tag }: PageFile, knownTag: string | undefined): Reply {
  const headers = { 'cache-control': 'no-cache', etag: tag }
  if (knownTag === tag) return { status: NOT_MODIFIED, headers, body: Buffer.alloc(0) }
  return { status: 200, headers: { ...headers, 'content-type': mediaType }, body }
}

function refusalReply(refusal: Refusal): Reply {
  if (refusal === 'host')
    return textReply(
      403,
      'Without watchdog.pageKeys this page answers only to localhost and the addresses of loopback.',
    )
  return textReply(
    401,
    'No key, or none of watchdog.pageKeys: a browser asks for it as a password, with any user name; programs send it as `authorization: Bearer …` or `x-api-key`.',
    { 'www-authenticate': 'Basic realm="Freshet: a key as password, any user name", charset="UTF-8"' },
  )
}

function textReply(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Reply {
  const plain = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }
  return { status, headers: { ...plain, ...headers }, body: Buffer.from(`${text}\n`) }
}
