import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** One address in front of the nodes that are up, as a load balancer: a connection goes to the next of them. */
export class FrontDoor implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #ports: () => readonly number[]
  #turn = 0

  /** @param ports of the nodes that are up now. */
  static async open(ports: () => readonly number[]): Promise<FrontDoor> {
    const door = new FrontDoor(ports)
    door.#server.listen({ host: '127.0.0.1', port: 0 })
    await once(door.#server, 'listening')
    return door
  }

  private constructor(ports: () => readonly number[]) {
    this.#ports = ports
    this.#server = createServer((client) => this.#forward(client))
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
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
  }
}

/** What ends one end, ends the other. */
function join(from: Socket, to: Socket): void {
  from.on('error', () => to.destroy())
  from.on('close', () => to.destroy())
  from.pipe(to)
}
