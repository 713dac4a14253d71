import { Buffer } from 'node:buffer'
import type { Agent, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'

/** More is no answer of a gateway. */
const MAX_REPLY_BYTES = 8 * 1024 * 1024

export interface Asked {
  readonly url: URL
  readonly method: 'GET' | 'POST'
  readonly headers: OutgoingHttpHeaders
  readonly body: string | undefined
  readonly agent: Agent
}

export interface Reply {
  readonly status: number
  readonly text: string
}

/**
 * One request and its reply.
 * @param signal ends it: the connection is closed, since nobody knows when it would be free again
 * @throws what the connection failed with; `isStale` tells whether it is worth a second try
 */
export function exchange({ url, method, headers, body, agent }: Asked, signal: AbortSignal): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  const asking = send(url, { method, headers, agent, signal })
  asking.on('error', (error) => reject(asking.reusedSocket ? new Stale(error) : error))
  let hasReply = false
  asking.on('response', (reply) => {
    hasReply = true
    readText(reply).then((text) => resolve({ status: reply.statusCode!, text }), reject)
  })
  // A server that switches to another protocol gives neither a reply nor an error.
  asking.on('close', () => hasReply || reject(new Error('closed without a reply')))
  asking.end(body)
  return promise
}

/** A connection from the pool that the other side had closed in the same moment: nothing was read from the request. */
class Stale extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause })
  }
}

export function isStale(error: unknown): boolean {
  return error instanceof Stale
}

async function readText(reply: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of reply as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_REPLY_BYTES) throw new Error(`more than ${MAX_REPLY_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
