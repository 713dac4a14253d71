import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Transform } from 'node:stream'

/**
 * An address in front of a server that a test may freeze: connections are taken and kept, and nothing that is said comes
 * through in either direction, as when a server stands still (SIGSTOP) or its disk does. Thawed, all of it comes through.
 */
export class FrozenDoor implements AsyncDisposable {
  readonly #target: URL
  readonly #sockets = new Set<Socket>()
  readonly #server: Server = createServer((client) => this.#forward(client))
  #thawed: { readonly promise: Promise<void>; readonly resolve: () => void } | null = null

  static async open(url: string): Promise<FrozenDoor> {
    const door = new FrozenDoor(new URL(url))
    door.#server.listen(0, '127.0.0.1')
    await once(door.#server, 'listening')
    return door
  }

  private constructor(target: URL) {
    this.#target = target
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  freeze(): void {
    this.#thawed ??= Promise.withResolvers<void>()
  }

  thaw(): void {
    this.#thawed?.resolve()
    this.#thawed = null
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw()
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #forward(client: Socket): void {
    const server = connect({ host: this.#target.hostname, port: Number(this.#target.port) })
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        this.#sockets.delete(one)
        other.destroy()
      })
      one.pipe(this.#gate()).pipe(other)
    }
  }

  #gate(): Transform {
    return new Transform({
      transform: async (bytes, _encoding, passOn) => {
        await this.#thawed?.promise
        passOn(null, bytes)
      },
    })
  }
}
