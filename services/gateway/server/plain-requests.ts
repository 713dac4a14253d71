import { Buffer } from 'node:buffer'
import type { IncomingMessage, RequestListener } from 'node:http'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { Asked } from '../routes/call.ts'
import type { Serve } from '../routes/serve.ts'
import { acceptedAtMs } from './intake.ts'
import { writeReply } from './write-reply.ts'

/** The routes of plain requests. */
export interface PlainRoutes {
  /** `GET /v1/scores/{key}` */
  readonly lookup: Serve
  /** `POST /v1/predict` */
  readonly predict: Serve
}

/**
 * Answers the plainest requests, a lookup or a prediction and nothing beside it, without a Request, a router or a Response:
 * they are nearly all that a gateway is asked, and those cost as much as the answer (figures: decisions/0022). Whatever
 * needs to be interpreted is left to the app: both answer alike, and a test holds them against each other.
 */
export function plainRequestsBefore(app: RequestListener, routes: PlainRoutes): RequestListener {
  return (incoming, response) => {
    const serve = plainRouteOf(incoming, routes)
    if (serve === null) return app(incoming, response)
    const reply = serve(new PlainRequest(incoming), acceptedAtMs(incoming))
    if (reply instanceof Promise) void reply.then((reply) => writeReply(response, reply))
    else writeReply(response, reply)
  }
}

/** No query, no whole address, and nothing that a URL parser would rewrite. */
const LOOKUP = /^\/v1\/scores\/[!$%&'()*+,\-./0-9:;=@A-Z_a-z~]+$/
const DOT_SEGMENT = /\/\.|%2e/i
const HOST = /^[a-z0-9._-]+(:\d{4})?$/
/** Of a body, up to 99,999 bytes; more is left to the app, which reads what it refuses. */
const LENGTH = /^[1-9]\d{0,4}$/

function plainRouteOf({ method, url = '', headers }: IncomingMessage, routes: PlainRoutes): Serve | null {
  if (!HOST.test(headers.host ?? '') || headers['transfer-encoding'] !== undefined) return null
  const length = headers['content-length']
  if (method === 'GET' && length === undefined && LOOKUP.test(url) && !DOT_SEGMENT.test(url))
    return routes.lookup
  const isPredict = method === 'POST' && url === '/v1/predict' && headers.expect === undefined
  return isPredict && LENGTH.test(length ?? '') ? routes.predict : null
}

class PlainRequest implements Asked {
  /** Only what comes without a length is read piece by piece. */
  readonly body = null
  readonly #incoming: IncomingMessage

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming
  }

  get method(): string {
    return this.#incoming.method!
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

  /** Of its announced length, which node:http sees to. @throws REQUEST_INVALID when the caller hangs up before its end */
  arrayBuffer(): Promise<ArrayBuffer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer<ArrayBuffer>[] = []
      this.#incoming
        .on('data', (chunk: Buffer<ArrayBuffer>) => chunks.push(chunk))
        .on('end', () => resolve(bytesOf(chunks)))
        .on('error', (cause) =>
          reject(new FreshetError('REQUEST_INVALID', 'the body ends before its length', { cause })),
        )
    })
  }
}

function bytesOf(chunks: readonly Buffer<ArrayBuffer>[]): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
  return buffer.slice(byteOffset, byteOffset + byteLength)
}
