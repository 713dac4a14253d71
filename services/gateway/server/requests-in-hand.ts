import type { Server } from 'node:http'
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
   * Also closes a connection that sends request after request without reading an answer: the server would parse all of
   * them, and everybody else would wait. A caller that hangs up counts no longer.
   */
  watch(server: Server): void {
    server.prependListener('request', ({ socket }, response) => {
      const requests = (this.#ofConnection.get(socket) ?? 0) + 1
      if (requests > MAX_ON_ONE_CONNECTION) {
        socket.destroy()
        return
      }
      this.#ofConnection.set(socket, requests)
      this.#count++
      response.once('close', () => {
        this.#count--
        this.#ofConnection.set(socket, this.#ofConnection.get(socket)! - 1)
      })
    })
  }
}
