import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Transform } from 'node:stream'
import { systemClock } from '@freshet/stage/clock.ts'

/**
 * One address in front of the servers that are up, as a load balancer: a connection goes to the next of them. A test may
 * slam it: whoever is inside is reset and whoever comes is refused, as if the servers had been killed; but they live, and
 * do what they were asked before.
 */
export class FrontDoor implements AsyncDisposable {
  /** What the servers say is held for so long before it is passed on. */
  delayMs = 0
  readonly #sockets = new Set<Socket>()
  readonly #ports: () => readonly number[]
  #server: Server | undefined
  #port = 0
  #turn = 0

  /** @param ports of the servers that are up now. */
  static async open(ports: () => readonly number[]): Promise<FrontDoor> {
    const door = new FrontDoor(ports)
    await door.open()
    return door
  }

  private constructor(ports: () => readonly number[]) {
    this.#ports = ports
  }

  /** The same for as long as the door lives. */
  get port(): number {
    return this.#port
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  async open(): Promise<void> {
    const server = createServer((client) => this.#forward(client))
    server.listen({ host: '127.0.0.1', port: this.#port })
    await once(server, 'listening')
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
  }

  /** Resolves when nobody is inside. Slammed already, it does nothing. */
  async slam(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = once(server, 'close')
    server.close()
    for (const socket of this.#sockets) socket.resetAndDestroy()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.slam()
  }

  #forward(client: Socket): void {
    const ports = this.#ports()
    const port = ports[this.#turn++ % Math.max(1, ports.length)]
    if (port === undefined) {
      client.destroy()
      return
    }
    const node = connect({ host: '127.0.0.1', port })
    join(client, node)
    join(node, client)
    for (const socket of [client, node]) {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    }
    client.pipe(node)
    node.pipe(this.#holdBack()).pipe(client)
  }

  #holdBack(): Transform {
    return new Transform({
      transform: async (bytes, _encoding, passOn) => {
        if (this.delayMs > 0) await systemClock.sleep(this.delayMs)
        passOn(null, bytes)
      },
    })
  }
}

/** What ends one end, ends the other. */
function join(from: Socket, to: Socket): void {
  from.on('error', () => to.destroy())
  from.on('close', () => to.destroy())
}
