import type { IncomingMessage, RequestListener } from 'node:http'
import type { Socket } from 'node:net'

const MAX_ON_ONE_CONNECTION = 64

/** What one connection has in hand. */
interface InHand {
  requests: number
  newest?: IncomingMessage | undefined
  whenNone?: () => void
}

/** Counts the requests that are not answered yet, of the whole server and of each connection. */
export class RequestsInHand {
  #count = 0
  readonly #ofConnection = new WeakMap<Socket, InHand>()

  get count(): number {
    return this.#count
  }

  /** One of a connection that has one at most; `end` is called when it is answered, or its caller has hung up. */
  begin(): void {
    this.#count++
  }

  end(): void {
    this.#count--
  }

  /** On this connection. */
  of(socket: Socket): number {
    return this.#ofConnection.get(socket)?.requests ?? 0
  }

  /** Whether all of the newest one on this connection has come, and so of those before it. */
  areWhole(socket: Socket): boolean {
    return this.#ofConnection.get(socket)?.newest?.complete ?? true
  }

  /** Calls `listener` when what this connection has in hand now is answered. */
  whenNoneOf(socket: Socket, listener: () => void): void {
    const inHand = this.#ofConnection.get(socket)
    if (inHand !== undefined && inHand.requests > 0) inHand.whenNone = listener
    else listener()
  }

  /**
   * Hands on to the listener what it counts. A connection that sends request after request without reading an answer is
   * closed: the server would parse and answer all of them, and everybody else would wait. A caller that hangs up counts
   * no longer.
   */
  counting(listener: RequestListener): RequestListener {
    return (request, response) => {
      const { socket } = request
      if (socket.destroyed) return // what was parsed already of one that has just been closed
      const inHand = this.#of(socket)
      if (inHand.requests === MAX_ON_ONE_CONNECTION) {
        socket.destroy()
        return
      }
      inHand.requests++
      inHand.newest = request
      this.#count++
      response.on('close', () => {
        this.#count--
        if (--inHand.requests > 0) return
        inHand.newest = undefined
        inHand.whenNone?.()
      })
      listener(request, response)
    }
  }

  #of(socket: Socket): InHand {
    const known = this.#ofConnection.get(socket)
    if (known !== undefined) return known
    const inHand: InHand = { requests: 0 }
    this.#ofConnection.set(socket, inHand)
    return inHand
  }
}
