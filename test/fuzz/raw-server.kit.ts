import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'

/** A server that says the same to all who ask, byte by byte as it was told, and hangs up. */
export class RawServer {
  readonly #server: Server
  /** All of what it says: the status line too. */
  answer: Buffer = Buffer.alloc(0)
  /** What it says once, before that. */
  first: Buffer | undefined
  readonly url: string

  static async listen(): Promise<RawServer> {
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return new RawServer(server)
  }

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => {
      socket.on('error', () => {}) // whoever has heard enough
      socket.once('data', () => {
        socket.end(this.first ?? this.answer)
        this.first = undefined
      })
      socket.resume()
    })
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
  }
}

/** HTTP around a body. */
export function httpAnswer(body: Buffer | string, status = 200, headers: readonly string[] = []): Buffer {
  const bytes = Buffer.from(body)
  const head = [
    `HTTP/1.1 ${status} Said`,
    'content-type: application/json',
    `content-length: ${bytes.length}`,
    'connection: close',
    ...headers,
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), bytes])
}
