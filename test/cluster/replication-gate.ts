import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** What a primary sends to each replica for a write; the name stands in clear in the message. */
const REPLICATE_WRITE = Buffer.from('indices:data/write/bulk[s][r]')
/** 'E' 'S', then the length of the rest as int32. A ping's length is -1. */
const FRAME_PREFIX_BYTES = 6

/**
 * Stands before the transport port of a node. Closed, it holds back the writes that primaries on other nodes replicate
 * to it, and lets everything else through: the node lives, answers, and lags. What is held when the sender dies is lost,
 * as it would be with the sender's machine.
 */
export class ReplicationGate implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isClosed = false
  #held = 0

  /** @param nodePort of the node behind, asked for with each connection. */
  static async before(nodePort: () => number): Promise<ReplicationGate> {
    const gate = new ReplicationGate(nodePort)
    gate.#server.listen({ host: '127.0.0.1', port: 0 })
    await once(gate.#server, 'listening')
    return gate
  }

  private constructor(nodePort: () => number) {
    this.#server = createServer((sender) => this.#forward(sender, nodePort()))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Writes held back since the start. */
  get held(): number {
    return this.#held
  }

  close(): void {
    this.#isClosed = true
  }

  /** For new connections; what is held stays held. */
  open(): void {
    this.#isClosed = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #forward(sender: Socket, port: number): void {
    const node = connect({ host: '127.0.0.1', port })
    const frames = new FrameCutter()
    let isHolding = false
    sender.on('data', (bytes) => {
      if (isHolding) return // later messages of the connection do not overtake
      for (const frame of frames.cut(bytes)) {
        if (this.#isClosed && frame.includes(REPLICATE_WRITE)) {
          isHolding = true
          this.#held++
          return
        }
        node.write(frame)
      }
    })
    node.on('data', (bytes) => sender.write(bytes))
    for (const [socket, other] of [
      [sender, node],
      [node, sender],
    ] as const) {
      socket.on('error', () => other.destroy())
      socket.once('close', () => {
        other.destroy()
        this.#sockets.delete(socket)
      })
      this.#sockets.add(socket)
    }
  }
}

/** Cuts a stream into whole messages of Elasticsearch's transport protocol. */
class FrameCutter {
  #rest: Buffer = Buffer.alloc(0)

  cut(bytes: Buffer): Buffer[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const frames: Buffer[] = []
    while (this.#rest.length >= FRAME_PREFIX_BYTES) {
      const length = FRAME_PREFIX_BYTES + Math.max(0, this.#rest.readInt32BE(2))
      if (this.#rest.length < length) break
      frames.push(this.#rest.subarray(0, length))
      this.#rest = this.#rest.subarray(length)
    }
    return frames
  }
}
