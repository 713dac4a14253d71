import { Buffer } from 'node:buffer'
import { PlainHeaders } from './plain-headers.ts'

/** Longer ones come in several reads, and beside those node:http costs little. */
const MAX_HEAD_BYTES = 8 * 1_024
const MAX_BODY_BYTES = 32 * 1_024

const LOOKUP = 'GET /v1/scores/'
const PREDICTION = 'POST /v1/predict HTTP/1.1'
/** No query, no whole address, and nothing that a URL parser would rewrite. */
const LOOKUP_LINE = /^\/v1\/scores\/[!$%&'()*+,\-./0-9:;=@A-Z_a-z~]+ HTTP\/1\.1$/
const DOT_SEGMENT = /\/\.|%2e/i
const LENGTH = /^[1-9]\d{0,4}$/
const METHOD = 'GET '
const VERSION = ' HTTP/1.1'
const LINE_END = '\r\n'
const HEAD_END = '\r\n\r\n'
const NOTHING = Buffer.alloc(0)

/** A lookup, or a prediction with all of its body. */
export interface PlainRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: PlainHeaders
  readonly whole: Buffer
  /** From its first byte to its last. */
  readonly byteLength: number
}

/**
 * The plain request at the beginning of what a connection has sent: a lookup or a prediction and nothing beside it, every byte as
 * HTTP wants it. Where it would be one once the rest has come, it is `unfinished`; what needs to be interpreted is `other`, and
 * node:http reads it from its first byte. What this takes for one request node:http does too: a test holds them against each other.
 * @param last the headers of the request before: a caller sends the same ones again and again
 */
export function readPlain(bytes: Buffer, last?: PlainHeaders): PlainRequest | 'unfinished' | 'other' {
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, MAX_HEAD_BYTES))
  const isLookup = text.startsWith(LOOKUP)
  if (!isLookup && !text.startsWith(PREDICTION)) return 'other'
  const headEnd = text.indexOf(HEAD_END)
  if (headEnd === -1) return bytes.length < MAX_HEAD_BYTES ? 'unfinished' : 'other'
  const lineEnd = text.indexOf(LINE_END)
  const lines = text.slice(lineEnd, headEnd)
  const headers = last?.lines === lines ? last : PlainHeaders.read(lines)
  if (headers === undefined) return 'other'
  const bodyAt = headEnd + HEAD_END.length
  return isLookup
    ? lookup(text.slice(METHOD.length, lineEnd), headers, bodyAt)
    : prediction(bytes, headers, bodyAt, lineEnd)
}

function lookup(line: string, headers: PlainHeaders, byteLength: number): PlainRequest | 'other' {
  if (headers.get('content-length') !== null || !LOOKUP_LINE.test(line) || DOT_SEGMENT.test(line))
    return 'other'
  return { method: 'GET', url: line.slice(0, -VERSION.length), headers, whole: NOTHING, byteLength }
}

function prediction(
  bytes: Buffer,
  headers: PlainHeaders,
  bodyAt: number,
  lineEnd: number,
): PlainRequest | 'unfinished' | 'other' {
  const length = headers.get('content-length') ?? ''
  if (lineEnd !== PREDICTION.length || !LENGTH.test(length) || Number(length) > MAX_BODY_BYTES) return 'other'
  const byteLength = bodyAt + Number(length)
  if (byteLength > bytes.length) return 'unfinished'
  const whole = bytes.subarray(bodyAt, byteLength)
  return { method: 'POST', url: '/v1/predict', headers, whole, byteLength }
}
