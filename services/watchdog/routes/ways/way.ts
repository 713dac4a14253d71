import type { Notice } from '../notice.ts'

/** One way to people. */
export interface Way {
  readonly name: 'slack' | 'webhook'
  /** Tries once, as soon as the other side's pace allows. Never rejects; a stop ends it as `later`. */
  post(notice: Notice, signal: AbortSignal): Promise<Outcome>
}

export type Outcome =
  | { readonly kind: 'taken' }
  /** It may be taken when it is tried again, not before `afterMs`. */
  | { readonly kind: 'later'; readonly why: string; readonly afterMs: number }
  /** Of this notice the other side takes no form. */
  | { readonly kind: 'refused'; readonly why: string }
  /** Nothing is taken until somebody mends the address or the channel. */
  | { readonly kind: 'closed'; readonly why: string }

export type PostStatus = { readonly status: number; readonly body: string; readonly retryAfterMs: number }

/** What the other side said, without the address, which some servers repeat: in whole, or its path or query. */
export function withoutAddress(said: string, address: string): string {
  const { href, pathname, search } = new URL(address)
  return [address, href, pathname + search, pathname, search]
    .filter((part) => part.length > 1)
    .reduce((text, part) => text.replaceAll(part, '***'), said)
}

/** What an answer without success means: 400 and its kin are about the form, the other 4xx about the address. */
export function outcomeOf({ status, body, retryAfterMs }: PostStatus): Outcome {
  const why = `${status} ${body.slice(0, 200)}`.trim()
  if (status >= 500 || [408, 425, 429].includes(status)) return { kind: 'later', why, afterMs: retryAfterMs }
  return { kind: [400, 413, 415, 422].includes(status) ? 'refused' : 'closed', why }
}

/** Who refuses even a line of text takes nothing: that is not about the notice. */
export function evenShort(outcome: Outcome): Outcome {
  return outcome.kind === 'refused' ? { kind: 'closed', why: outcome.why } : outcome
}

/** What keeps an answer from coming, without the address: who has that can post to it. */
export function unreachable(error: unknown): Outcome {
  return { kind: 'later', why: reasonOf(error), afterMs: 0 }
}

/** Without an address, which may be a secret. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer'
  if (error.name === 'TimeoutError') return 'no answer in time'
  const inner = 'original' in error ? error.original : error.cause
  if (inner instanceof Error) return reasonOf(inner)
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

const MAX_RETRY_AFTER_MS = 3_600_000

/** Seconds or a date, as HTTP allows; 0 where there is none. */
export function retryAfterMs(header: string | null, nowMs: number): number {
  if (header === null) return 0
  const seconds = Number(header)
  const ms = Number.isNaN(seconds) ? Date.parse(header) - nowMs : seconds * 1000
  return Number.isFinite(ms) ? Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms)) : 0
}

/** The beginning of a body: what the other side says may be a page. */
export async function readStart(body: ReadableStream<Uint8Array> | null, maxBytes = 4_096): Promise<string> {
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
