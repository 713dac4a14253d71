import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import type { PlainParts } from './plain/plain-connection.ts'
import { PlainConnections } from './plain/plain-connections.ts'
import { RequestsInHand } from './requests-in-hand.ts'
import { followTls, readTls, tlsFiles } from './tls.ts'
import { answerUnparsed, refuseWithoutHost } from './unparsed.ts'

/** Slow clients are closed, and a burst of new ones waits in the kernel instead of trying again after a second. */
const BACKLOG = 4_096
const MAX_CONNECTIONS = 10_000
const SERVER_OPTIONS = {
  headersTimeout: 2_000,
  requestTimeout: 5_000,
  connectionsCheckingInterval: 500,
  keepAliveTimeout: 75_000, // longer than load balancers keep an idle connection
  maxHeaderSize: 16 * 1024,
  requireHostHeader: false, // refuseWithoutHost does
}
/** Bodies come right behind their heads, at times in a packet of their own. */
const REST_WITHIN_MS = 5
/** A caller that says nothing while keys are agreed upon is let go of. */
const HANDSHAKE_MS = 2_000
/** So long after it was told to stop, requests that were on their way are answered, and their connections closed. */
const LINGER_MS = 250
const STOP_MS = 8_000
const CLOSE_IDLE_EVERY_MS = 50

interface Beside {
  readonly log?: Log
  readonly inHand?: RequestsInHand
  /** Undefined where every request goes to the listener. */
  readonly plain?: PlainParts
}

/**
 * A listener on a port. What is plain never comes to node:http (server/plain): it is counted in hand, admitted by the intake, and
 * served by its route. All else is counted in hand, asked for its host, admitted by the intake, and goes through the app to its
 * route. Disposing answers what is in hand or on its way, stops accepting, and ends within 9 s. */
export class HttpServer implements AsyncDisposable {
  readonly #server: Server
  readonly #plain: PlainConnections | undefined
  readonly #tls: Disposable | undefined
  readonly url: string

  /** @throws PORT_TAKEN, CONFIG_INVALID */
  static async listen(
    requestListener: RequestListener,
    { tls = {}, ...address }: { host: string; port: number; tls?: Settings['gateway']['tls'] },
    { log = quietLog, inHand = new RequestsInHand(), plain }: Beside = {},
  ): Promise<HttpServer> {
    const files = tlsFiles(tls)
    const listener = inHand.counting(refuseWithoutHost(requestListener))
    const server =
      files === undefined
        ? createServer(SERVER_OPTIONS, listener)
        : createTlsServer({ ...SERVER_OPTIONS, ...readTls(files), handshakeTimeout: HANDSHAKE_MS }, listener)
    server.maxConnections = MAX_CONNECTIONS
    answerUnparsed(server, inHand)
    const event = files === undefined ? 'connection' : 'secureConnection'
    const connections =
      plain &&
      new PlainConnections(server, event, {
        parts: plain,
        inHand,
        times: { ...SERVER_OPTIONS, restWithinMs: REST_WITHIN_MS },
      })
    server.listen({ host: address.host, port: address.port, backlog: BACKLOG })
    try {
      await once(server, 'listening')
    } catch (cause) {
      connections?.[Symbol.dispose]()
      const { code } = cause as NodeJS.ErrnoException
      const where = `${address.host}:${address.port}`
      if (code === 'EADDRINUSE') throw new FreshetError('PORT_TAKEN', `${where} is in use`, { cause })
      throw new FreshetError('CONFIG_INVALID', `cannot listen on ${where}: ${code}`, { cause })
    }
    return new HttpServer(server, connections, files && followTls(server as HttpsServer, files, { log }))
  }

  private constructor(server: Server, plain: PlainConnections | undefined, tls: Disposable | undefined) {
    this.#server = server
    this.#plain = plain
    this.#tls = tls
    const { address, family, port } = server.address() as AddressInfo
    this.url = `${tls === undefined ? 'http' : 'https'}://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tls?.[Symbol.dispose]()
    this.#server.prependListener('request', (_request, response) => {
      response.shouldKeepAlive = false
    })
    if (this.#plain !== undefined) this.#plain.isStopping = true
    await systemClock.sleep(LINGER_MS)
    const closed = once(this.#server, 'close')
    this.#server.close()
    const idle = setInterval(() => this.#closeIdle(), CLOSE_IDLE_EVERY_MS)
    const force = setTimeout(() => this.#closeAll(), STOP_MS)
    await closed
    clearInterval(idle)
    clearTimeout(force)
    this.#plain?.[Symbol.dispose]()
  }

  #closeIdle(): void {
    this.#plain?.closeIdle()
    this.#server.closeIdleConnections()
  }

  #closeAll(): void {
    this.#plain?.[Symbol.dispose]()
    this.#server.closeAllConnections()
  }
}
