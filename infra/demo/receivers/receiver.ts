/** What the local stand-ins for chat programs share: a server that takes posts by rules, and misbehaves when told to. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Receiver<Message> extends AsyncDisposable {
  /** Where to post. */
  readonly url: string
  /** What people see, oldest first; grows as messages come. */
  readonly messages: readonly Message[]
  /** All that was posted, whatever the answer. */
  readonly posts: readonly Post[]
  /** How it answers from now on; a test may change it at any time. */
  behave(behaviour: Behaviour): void
  close(): Promise<void>
}

interface Post {
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly atMs: number
  /** Null while it is frozen. */
  readonly status: number | null
}

/** `well`: by the rules. `frozen`: it takes a post and never answers. Else the same answer to everything. */
type Behaviour = 'well' | 'frozen' | Answer

export interface Answer {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface ReceiverOptions<Message> {
  /** 0 picks a free one. */
  readonly port: number
  /** The only one that takes posts. */
  readonly path: string
  readonly nowMs?: () => number
  /** To a post at any other path. */
  readonly elsewhere: Answer
  /** @returns the answer, and what people then see, if anything */
  readonly take: (post: { body: string; headers: IncomingMessage['headers']; atMs: number }) => Taken<Message>
}

interface Taken<Message> {
  readonly answer: Answer
  readonly message?: Message
}

const MAX_BODY_BYTES = 1024 * 1024

export async function startReceiver<Message>(options: ReceiverOptions<Message>): Promise<Receiver<Message>> {
  const { port, path, nowMs = Date.now, elsewhere, take } = options
  const messages: Message[] = []
  const posts: Post[] = []
  let behaviour: Behaviour = 'well'
  const server = createServer((request, response) => {
    receive(request, response).catch(() => response.destroy())
  })

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url !== path) return send(response, elsewhere)
    if (request.method !== 'POST') return send(response, { status: 405, body: 'method_not_allowed' })
    const { headers } = request
    const body = await readBody(request)
    const atMs = nowMs()
    if (behaviour === 'frozen') return void posts.push({ headers, body, atMs, status: null })
    const { answer, message }: Taken<Message> =
      behaviour === 'well' ? take({ body, headers, atMs }) : { answer: behaviour }
    posts.push({ headers, body, atMs, status: answer.status })
    if (message !== undefined) messages.push(message)
    send(response, answer)
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    messages,
    posts,
    behave: (next) => {
      behaviour = next
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** @returns undefined for what is not JSON */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new Error('the body is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(body)
}
