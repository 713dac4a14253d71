/** Requests as bytes, and where an answer ends: all that a caller who spends little needs of HTTP. */
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export function getRequest(path: string): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`)
}

export function postRequest(path: string, body: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(body))
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${json.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), json])
}

/** A kept-alive connection with at most one request under way. */
export class Caller {
  readonly #socket: Socket
  #text = ''
  #answered: (isGood: boolean) => void = () => {}
  #good: string

  /** @param good what the body of a good answer holds. @param onFault the server closed it, or said what is no answer with a length */
  static async open(port: number, good: string, onFault: (error: Error) => void): Promise<Caller> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    await once(socket, 'connect')
    return new Caller(socket, good, onFault)
  }

  private constructor(socket: Socket, good: string, onFault: (error: Error) => void) {
    this.#socket = socket
    this.#good = good
    socket.on('data', (bytes) => {
      try {
        this.#take(bytes.toString('latin1'))
      } catch (error) {
        onFault(error as Error)
      }
    })
    socket.on('error', onFault)
    socket.on('close', () => onFault(new Error('the server closed a connection')))
  }

  /** @param answered is told once whether the answer has status 200 and holds `good`. */
  ask(request: Buffer, answered: (isGood: boolean) => void): void {
    this.#answered = answered
    this.#socket.write(request)
  }

  close(): void {
    this.#socket.removeAllListeners('close')
    this.#socket.destroy()
  }

  #take(text: string): void {
    this.#text += text
    const bodyAt = wholeAnswer(this.#text)
    if (bodyAt === undefined) return
    const isGood = this.#text.startsWith('200', STATUS_AT) && this.#text.includes(this.#good, bodyAt)
    this.#text = ''
    this.#answered(isGood)
  }
}

const STATUS_AT = 'HTTP/1.1 '.length

/** Where the body begins, once all of it is there. */
function wholeAnswer(text: string): number | undefined {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd === -1) return undefined
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(text.slice(0, headEnd + 2))
  if (length === null) throw new Error(`an answer without its length: ${text.slice(0, 200)}`)
  const bodyAt = headEnd + 4
  return text.length < bodyAt + Number(length[1]) ? undefined : bodyAt
}
