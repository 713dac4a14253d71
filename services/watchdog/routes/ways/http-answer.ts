/** What somebody answered over HTTP, or why nobody did: without the address, which may be a secret. */
import { Buffer } from 'node:buffer'
import { retryAfterMs } from '@freshet/stage/retry-after.ts'
import type { Outcome } from './way.ts'

export interface HttpAnswer {
  readonly status: number
  /** Its beginning. */
  readonly body: string
  readonly retryAfterMs: number
}

const MAX_RETRY_AFTER_MS = 3_600_000

export async function readAnswer(
  { status, headers, body }: Pick<Response, 'status' | 'headers' | 'body'>,
  { address, nowMs }: { readonly address: string; readonly nowMs: number },
): Promise<HttpAnswer> {
  return {
    status,
    body: withoutAddress(await readStart(body), address),
    retryAfterMs: retryAfterMs(headers.get('retry-after'), { nowMs, maxMs: MAX_RETRY_AFTER_MS }),
  }
}

/** The beginning of a body: what the other side says may be a page. */
async function readStart(body: ReadableStream<Uint8Array> | null, maxBytes = 4_096): Promise<string> {
  if (body === null) return ''
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= maxBytes) break
  }
  return Buffer.concat(chunks).subarray(0, maxBytes).toString()
}

/** Some servers repeat the address: in whole, or its path or query. */
function withoutAddress(said: string, address: string): string {
  const { href, pathname, search } = new URL(address)
  return [address, href, pathname + search, pathname, search]
    .filter((part) => part.length > 1)
    .reduce((text, part) => text.replaceAll(part, '***'), said)
}

/** In a line, for people. */
export function inWords({ status, body }: Pick<HttpAnswer, 'status' | 'body'>): string {
  return `${status} ${body.slice(0, 200)}`.trim()
}

/** What an answer without success means: 400 and its kin are about the form, the other 4xx about the address. */
export function outcomeOf(answer: HttpAnswer): Outcome {
  const { status, retryAfterMs: afterMs } = answer
  const why = inWords(answer)
  if (status >= 500 || [408, 425, 429].includes(status)) return { kind: 'later', why, afterMs }
  return { kind: [400, 413, 415, 422].includes(status) ? 'refused' : 'closed', why }
}

/** What keeps an answer from coming. */
export function unreachable(error: unknown): Outcome {
  return { kind: 'later', why: reasonOf(error), afterMs: 0 }
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer'
  if (error.name === 'TimeoutError') return 'no answer in time'
  const inner = 'original' in error ? error.original : error.cause
  if (inner instanceof Error) return reasonOf(inner)
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
