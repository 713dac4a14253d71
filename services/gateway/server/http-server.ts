import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { FreshetError } from '@freshet/errors/errors.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'
import type { AppEnv } from '../app-env.ts'
import { capPipelining } from './pipelining.ts'

/** Slow clients are closed, and a burst of new ones waits in the kernel instead of trying again after a second. */
const BACKLOG = 4_096
const MAX_CONNECTIONS = 10_000
const SERVER_OPTIONS = {
  headersTimeout: 2_000,
  requestTimeout: 5_000,
  connectionsCheckingInterval: 500,
  keepAliveTimeout: 75_000, // longer than load balancers keep an idle connection
  maxHeaderSize: 16 * 1024,
}
/** So long after it was told to stop, requests that were on their way are answered, and their connections closed. */
const LINGER_MS = 250
const STOP_MS = 8_000
const CLOSE_IDLE_EVERY_MS = 50

/** The app on a port. Disposing answers what is in hand or on its way, stops accepting, and ends within 9 s. */
export class HttpServer implements AsyncDisposable {
  readonly #server: Server
  readonly url: string

  /** @throws PORT_TAKEN */
  static async listen(app: Hono<AppEnv>, address: { host: string; port: number }): Promise<HttpServer> {
    const server = createAdaptorServer({ fetch: app.fetch, serverOptions: SERVER_OPTIONS }) as Server
    server.maxConnections = MAX_CONNECTIONS
    capPipelining(server)
    server.listen({ ...address, backlog: BACKLOG })
    try {
      await once(server, 'listening')
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException
      const where = `${address.host}:${address.port}`
      if (code === 'EADDRINUSE') throw new FreshetError('PORT_TAKEN', `${where} is in use`, { cause })
      throw new FreshetError('CONFIG_INVALID', `cannot listen on ${where}: ${code}`, { cause })
    }
    return new HttpServer(server)
  }

  private constructor(server: Server) {
    this.#server = server
    const { address, family, port } = server.address() as AddressInfo
    this.url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.prependListener('request', (_request, response) => {
      response.shouldKeepAlive = false
    })
    await systemClock.sleep(LINGER_MS)
    const closed = once(this.#server, 'close')
    this.#server.close()
    const idle = setInterval(() => this.#server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS)
    const force = setTimeout(() => this.#server.closeAllConnections(), STOP_MS)
    await closed
    clearInterval(idle)
    clearTimeout(force)
  }
}
