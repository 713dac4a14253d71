import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Keeps room for who has something to ask: of the connections on which nobody asks anything the longest quiet ones are
 * closed, beyond so many. Whoever opens hundreds and says nothing would else lock everybody out until they are too old.
 */
export function boundQuiet(server: Server, maxQuiet: number): void {
  const quiet = new Set<Socket>()
  const add = (socket: Socket) => {
    quiet.add(socket)
    const [longest] = quiet
    if (quiet.size > maxQuiet) longest!.destroy()
  }
  server.on('connection', (socket: Socket) => {
    socket.once('close', () => quiet.delete(socket))
    add(socket)
  })
  server.on('request', ({ socket }, response) => {
    quiet.delete(socket)
    response.once('close', () => socket.destroyed || add(socket))
  })
}
