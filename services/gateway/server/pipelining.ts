import type { Server } from 'node:http'
import type { Socket } from 'node:net'

const MAX_IN_FLIGHT = 64

/**
 * Closes a connection that sends request after request without reading an answer: the server would parse all of them,
 * and everybody else would wait.
 */
export function capPipelining(server: Server): void {
  const inFlight = new WeakMap<Socket, number>()
  server.prependListener('request', ({ socket }, response) => {
    const requests = (inFlight.get(socket) ?? 0) + 1
    if (requests > MAX_IN_FLIGHT) {
      socket.destroy()
      return
    }
    inFlight.set(socket, requests)
    response.once('close', () => inFlight.set(socket, inFlight.get(socket)! - 1))
  })
}
