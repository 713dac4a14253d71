import type { IncomingMessage, RequestListener } from 'node:http'
import type { Asked } from '../routes/call.ts'
import type { Serve } from '../routes/serve.ts'
import { acceptedAtMs } from './intake.ts'
import { writeReply } from './write-reply.ts'

/**
 * Answers the plainest requests, `GET /v1/scores/{key}` and nothing beside it, without a Request, a router or a Response:
 * they are nearly all that a gateway is asked, and those cost as much as the lookup (figures: decisions/0022). Whatever
 * needs to be interpreted is left to the app: both answer alike, and a test holds them against each other.
 */
export function plainLookupsBefore(app: RequestListener, serve: Serve): RequestListener {
  return (incoming, response) => {
    if (!isPlain(incoming)) return app(incoming, response)
    const reply = serve(new PlainRequest(incoming), acceptedAtMs(incoming))
    if (reply instanceof Promise) void reply.then((reply) => writeReply(response, reply))
    else writeReply(response, reply)
  }
}

/** No query, no whole address, and nothing that a URL parser would rewrite. */
const PATH = /^\/v1\/scores\/[!$%&'()*+,\-./0-9:;=@A-Z_a-z~]+$/
const DOT_SEGMENT = /\/\.|%2e/i
const HOST = /^[a-z0-9._-]+(:\d{4})?$/

function isPlain({ method, url = '', headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    PATH.test(url) &&
    !DOT_SEGMENT.test(url) &&
    HOST.test(headers.host ?? '') &&
    headers['content-length'] === undefined &&
    headers['transfer-encoding'] === undefined
  )
}

class PlainRequest implements Asked {
  readonly method = 'GET'
  readonly body = null
  readonly #incoming: IncomingMessage

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming
  }

  get url(): string {
    return this.#incoming.url!
  }

  get headers(): Asked['headers'] {
    return this
  }

  /** As Headers reads it: what comes several times is one list. */
  get(name: string): string | null {
    const { rawHeaders } = this.#incoming
    let value: string | null = null
    for (let at = 0; at < rawHeaders.length; at += 2) {
      const there = rawHeaders[at]!
      if (there.length !== name.length || there.toLowerCase() !== name) continue
      const more = rawHeaders[at + 1]!.trim()
      value = value === null ? more : `${value}, ${more}`
    }
    return value
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return new ArrayBuffer(0)
  }
}
