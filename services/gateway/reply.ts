import type { Answer } from '@freshet/records/answer.ts'
import { answerLines, tallyLines } from './answer-headers.ts'
import type { AnswerTally } from './many/tally.ts'

/** Plain objects, because the server passes them on as they are: making a Headers costs more than the answer. */
export const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}
const JSON_HEADERS = { 'content-type': 'application/json', ...SECURITY_HEADERS }

const PAGE_HEADERS = {
  ...SECURITY_HEADERS,
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
}

type Headers = Readonly<Record<string, string>>

/**
 * What a request is answered with. A plain value: of plain requests it becomes a text (server/wire-text.ts), before the app
 * it is written by node:http (server/write-reply.ts), in the app it becomes a Response.
 */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  /** Headers that no other reply has, as whole lines. */
  readonly ownLines?: string
  /** null: there is no body. */
  readonly text: string | null
}

export function jsonReply(body: unknown, status = 200): Reply {
  return { status, headers: JSON_HEADERS, text: JSON.stringify(body) }
}

export function textReply(text: string, mediaType: string): Reply {
  return { status: 200, headers: { ...SECURITY_HEADERS, 'content-type': mediaType }, text }
}

/** For people: a page may fetch its own style and script, and ask this gateway, and nobody else. */
export function pageReply(text: string, mediaType: string): Reply {
  return { status: 200, headers: { ...PAGE_HEADERS, 'content-type': mediaType }, text }
}

/** For people who have typed another address. */
export function redirectReply(location: string): Reply {
  const headers = { ...SECURITY_HEADERS, 'content-type': 'text/plain; charset=utf-8', location }
  return { status: 302, headers, text: `See ${location}\n` }
}

/** @param tookMs since the request was accepted. */
export function answerReply(answer: Answer, tookMs: number): Reply {
  return {
    status: 200,
    headers: JSON_HEADERS,
    ownLines: answerLines(answer, tookMs),
    text: JSON.stringify(answer),
  }
}

/** Of many answers, as the text that they are already. */
export function manyReply(text: string, tally: AnswerTally, tookMs: number): Reply {
  return { status: 200, headers: JSON_HEADERS, ownLines: tallyLines(tally, tookMs), text }
}

export function responseOf({ status, headers, ownLines = '', text }: Reply): Response {
  const response = new Response(text, { status, headers })
  for (const line of ownLines.split('\r\n').slice(0, -1)) {
    const colon = line.indexOf(':')
    response.headers.set(line.slice(0, colon), line.slice(colon + 1))
  }
  return response
}
