import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { PlainConnection, type PlainHome, type PlainParts } from './plain-connection.ts'
import { WritesOfATurn } from './writes-of-a-turn.ts'

interface Surroundings {
  readonly parts: PlainParts
  readonly inHand: PlainHome['inHand']
  /** Milliseconds, as node:http takes them. */
  readonly times: {
    /** A connection on which nothing was ever asked is closed then. */
    readonly headersTimeout: number
    /** One that is not used any more is closed then; who has not read the last answer by the next look is not waited for. */
    readonly keepAliveTimeout: number
    readonly connectionsCheckingInterval: number
    /** A request that has not all come by then is not plain. */
    readonly restWithinMs: number
  }
}

type TakeSocket = (socket: Socket) => void

/**
 * Takes the connections of a server of node:http before that does, answers the plainest requests, and gives a connection
 * to node:http with the first one that is not. Those requests are nearly all that a gateway is asked, and what node:http
 * does for one costs as much as to answer it (figures: decisions/0036).
 */
export class PlainConnections implements PlainHome, Disposable {
  readonly parts: PlainParts
  readonly inHand: PlainHome['inHand']
  readonly writes = new WritesOfATurn()
  readonly keepAliveLines: string
  readonly restWithinMs: number
  isStopping = false
  readonly #connections = new Set<PlainConnection>()
  readonly #nodeTakes: TakeSocket
  readonly #looking: NodeJS.Timeout

  /** @param event with which the server gives node:http a connection: `connection`, or `secureConnection` */
  constructor(server: Server, event: string, { parts, inHand, times }: Surroundings) {
    this.parts = parts
    this.restWithinMs = times.restWithinMs
    this.inHand = inHand
    this.keepAliveLines = `connection: keep-alive\r\nkeep-alive: timeout=${times.keepAliveTimeout / 1_000}\r\n`
    const listeners = server.listeners(event) as TakeSocket[]
    this.#nodeTakes = (socket) => {
      for (const listener of listeners) listener.call(server, socket)
    }
    server.removeAllListeners(event)
    server.on(event, (socket: Socket) => this.#connections.add(new PlainConnection(socket, this)))
    this.#looking = setInterval(() => this.#closeUnused(times), times.connectionsCheckingInterval).unref()
  }

  handOver(connection: PlainConnection, socket: Socket): void {
    this.forget(connection)
    this.#nodeTakes(socket)
  }

  forget(connection: PlainConnection): void {
    this.#connections.delete(connection)
  }

  /** As node:http does: what was never asked anything may be about to, and has its time for that. */
  closeIdle(): void {
    for (const connection of this.#connections) if (connection.isIdle && connection.isUsed) connection.close()
  }

  #closeUnused({
    headersTimeout,
    keepAliveTimeout,
    connectionsCheckingInterval,
  }: Surroundings['times']): void {
    for (const connection of this.#connections) {
      const unusedMs = connection.looksUnused++ * connectionsCheckingInterval
      const isKept = connection.isUsed && !connection.isEnding
      if (!connection.isIdle || unusedMs <= (isKept ? keepAliveTimeout : headersTimeout)) continue
      if (connection.isEnding) connection.destroy()
      else connection.close()
    }
  }

  /** Closes all of them, whatever is in hand and whoever has not read it. */
  [Symbol.dispose](): void {
    clearInterval(this.#looking)
    for (const connection of this.#connections) connection.destroy()
  }
}
