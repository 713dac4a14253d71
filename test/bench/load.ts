/** Callers in a closed loop: each asks again as soon as it is answered. Spends little itself, so that the server is what is measured. */
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface LoadOptions {
  /** On 127.0.0.1. */
  readonly port: number
  /** Drawn at random, each as likely as the others. */
  readonly paths: readonly string[]
  /** Kept alive; each has one request under way. */
  readonly connections: number
  readonly seconds: number
  /** What the body of a good answer holds. */
  readonly good: string
}

export interface LoadResult {
  readonly answers: number
  /** Status 200, with `good` in the body. */
  readonly good: number
  readonly seconds: number
}

/** @throws when the server closes a connection, or says something that is no answer with a length */
export async function load({ port, paths, connections, seconds, good }: LoadOptions): Promise<LoadResult> {
  const requests = paths.map((path) => Buffer.from(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`))
  const count = { answers: 0, good: 0 }
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)))
  const startMs = performance.now()
  const endMs = startMs + seconds * 1_000
  await Promise.all(sockets.map(askAgainAndAgain))
  return { ...count, seconds: (performance.now() - startMs) / 1_000 }

  function askAgainAndAgain(socket: Socket): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const ask = () => socket.write(requests[Math.floor(Math.random() * requests.length)]!)
    let text = ''
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      try {
        const bodyAt = wholeAnswer(text)
        if (bodyAt === undefined) return
        count.answers++
        if (text.startsWith('200', STATUS_AT) && text.includes(good, bodyAt)) count.good++
        text = ''
        if (performance.now() < endMs) ask()
        else socket.end(resolve)
      } catch (error) {
        reject(error)
      }
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the server closed a connection')))
    ask()
    return promise
  }
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  await once(socket, 'connect')
  return socket
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
