import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'

const MAX_ON_ONE_CONNECTION = 64

/** Counts the requests that are not answered yet, of the whole server and of each connection. */
export class RequestsInHand {
  #count = 0
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
      const requests = this.of(socket)
      if (requests === MAX_ON_ONE_CONNECTION) {
        socket.destroy()
        return
      }
      this.#ofConnection.set(socket, requests + 1)
      this.#count++
      response.once('close', () => {
        this.#count--
        this.#ofConnection.set(socket, this.of(socket) - 1)
      })
      listener(request, response)
    }
  }
}
