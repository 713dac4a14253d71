import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Transform } from 'node:stream'
import { systemClock } from '@freshet/stage/clock.ts'

/** What the network does to all that passes a door, both ways. */
export interface Weather {
  /** Each piece is held for so long before it is passed on. */
  readonly latencyMs?: number
  readonly bytesPerSecond?: number
  /** Of the pieces that servers send, this share ends in the middle, with the connection. */
  readonly resetShare?: number
  /** Connections stay, and nothing comes through; when it is over they are found to be gone. */
  readonly isHalfOpen?: boolean
}

/**
 * One address in front of the servers that are up, as a load balancer: a connection goes to the next of them. A test may
 * slam it: whoever is inside is reset and whoever comes is refused, as if the servers had been killed; but they live, and
 * do what they were asked before.
 */
export class FrontDoor implements AsyncDisposable {
  /** What the servers say is held for so long before it is passed on. */
  delayMs = 0
  #weather: Weather = {}
  readonly #random: () => number
  readonly #sockets = new Set<Socket>()
  readonly #ports: () => readonly number[]
  #server: Server | undefined
  #port = 0
  #turn = 0

  /** @param ports of the servers that are up now. @param random decides what is reset */
  static async open(ports: () => readonly number[], random = Math.random): Promise<FrontDoor> {
    const door = new FrontDoor(ports, random)
    await door.open()
    return door
  }

  private constructor(ports: () => readonly number[], random: () => number) {
    this.#ports = ports
    this.#random = random
  }

  set weather(weather: Weather) {
    const wasHalfOpen = this.#weather.isHalfOpen === true
    this.#weather = weather
    if (wasHalfOpen && !weather.isHalfOpen) for (const socket of this.#sockets) socket.resetAndDestroy()
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
    this.#join(client, node)
    this.#join(node, client)
    for (const socket of [client, node]) {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    }
    client.pipe(this.#passage(() => 0)).pipe(node)
    node.pipe(this.#passage(() => this.delayMs, [client, node])).pipe(client)
  }

  /** What ends one end, ends the other; but nobody hears of it while nothing comes through. */
  #join(from: Socket, to: Socket): void {
    from.on('error', () => {}) // a close follows
    from.on('close', () => {
      if (!this.#weather.isHalfOpen) to.destroy()
    })
  }

  /** @param resettable both ends, when the connection may be reset in the middle of what passes here */
  #passage(delayMs: () => number, resettable: readonly Socket[] = []): Transform {
    let isReset = false
    return new Transform({
      transform: async (bytes: Buffer, _encoding, passOn) => {
        const { latencyMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY, resetShare = 0 } = this.#weather
        const heldMs = delayMs() + latencyMs + (1_000 * bytes.length) / bytesPerSecond
        if (heldMs > 0) await systemClock.sleep(heldMs)
        if (isReset || this.#weather.isHalfOpen) return passOn() // swallowed
        if (resettable.length === 0 || this.#random() >= resetShare) return passOn(null, bytes)
        isReset = true // what comes behind must not pass for what was cut off
        passOn(null, bytes.subarray(0, Math.floor(bytes.length / 2)))
        setImmediate(() => {
          for (const socket of resettable) socket.resetAndDestroy()
        })
      },
    })
  }
}
