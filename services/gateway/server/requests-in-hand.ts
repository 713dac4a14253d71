import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'

const MAX_ON_ONE_CONNECTION = 64

/** Counts the requests that are not answered yet, of the whole server and of each connection. */
export class RequestsInHand {
  #count = 0
  /** Of connections that are open. */
  readonly #ofConnection = new WeakMap<Socket, number>()

  get count(): number {
    return this.#count
  }

  /** On this connection. */
  of(socket: Socket): number {
    return this.#ofConnection.get(socket) ?? 0
  }

  /**
   * Hands on to the listener what it counts. A connection that sends request after request without reading an answer is
   * closed: the server would parse and answer all of them, and everybody else would wait. A caller that hangs up counts
   * no longer.
   */
  before(listener: RequestListener): RequestListener {
    return (request, response) => {
      const { socket } = request
      if (socket.destroyed) return // what was parsed already of one that has just been closed
      const requests = this.#ofConnection.get(socket)
      if (requests === MAX_ON_ONE_CONNECTION) {
        socket.destroy()
        return
      }
      if (requests === undefined) socket.once('close', () => this.#forget(socket))
      this.#ofConnection.set(socket, (requests ?? 0) + 1)
      this.#count++
      response.once('close', () => this.#over(socket))
      listener(request, response)
    }
  }

  #over(socket: Socket): void {
    const requests = this.#ofConnection.get(socket)
    if (requests === undefined) return
    this.#ofConnection.set(socket, requests - 1)
    this.#count--
  }

  /** Answers that wait behind another one's are not told that their connection has closed. */
  #forget(socket: Socket): void {
    this.#count -= this.of(socket)
    this.#ofConnection.delete(socket)
  }
}
