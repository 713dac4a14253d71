/** A local stand-in for Slack's incoming webhooks that refuses what Slack refuses, so that a test means something. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { findFault } from './slack-rules.ts'

/** A message that was accepted, as it was posted. */
interface SlackMessage {
  readonly text: string
  readonly blocks: readonly unknown[]
  readonly receivedAtMs: number
}

export interface SlackReceiver extends AsyncDisposable {
  /** Where to post. */
  readonly url: string
  /** Oldest first; grows as messages come. */
  readonly messages: readonly SlackMessage[]
  close(): Promise<void>
}

interface Options {
  /** 0 picks a free one. */
  readonly port: number
  readonly nowMs?: () => number
}

const PATH = '/services/T00000000/B00000000/local'
/** One message a second in the long run, a few at once in the short. */
const BURST = 3
const MAX_BODY_BYTES = 1024 * 1024

export async function startSlackReceiver({ port, nowMs = Date.now }: Options): Promise<SlackReceiver> {
  const messages: SlackMessage[] = []
  const rate = new TokenBucket(BURST, nowMs)
  const server = createServer((request, response) => {
    receive(request, response).catch(() => response.destroy())
  })

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url !== PATH) return answer(response, 404, 'no_service')
    if (request.method !== 'POST') return answer(response, 405, 'method_not_allowed')
    const body = await readBody(request)
    const waitSeconds = rate.take()
    if (waitSeconds > 0)
      return answer(response.setHeader('retry-after', String(waitSeconds)), 429, 'rate_limited')
    const payload = parse(body)
    const fault = payload === undefined ? 'invalid_payload' : findFault(payload)
    if (fault !== null) return answer(response, 400, fault)
    const { text = '', blocks = [] } = payload as { text?: string; blocks?: unknown[] }
    messages.push({ text, blocks, receivedAtMs: nowMs() })
    answer(response, 200, 'ok')
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
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`
  return { url, messages, close, [Symbol.asyncDispose]: close }
}

class TokenBucket {
  readonly #burst: number
  readonly #nowMs: () => number
  #tokens: number
  #atMs: number

  constructor(burst: number, nowMs: () => number) {
    this.#burst = burst
    this.#nowMs = nowMs
    this.#tokens = burst
    this.#atMs = nowMs()
  }

  /** @returns 0, or in how many seconds there is one again */
  take(): number {
    const atMs = this.#nowMs()
    this.#tokens = Math.min(this.#burst, this.#tokens + (atMs - this.#atMs) / 1000)
    this.#atMs = atMs
    if (this.#tokens < 1) return Math.max(1, Math.ceil(1 - this.#tokens))
    this.#tokens--
    return 0
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

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(text)
}
