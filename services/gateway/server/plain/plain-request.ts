import { Buffer } from 'node:buffer'
import { PlainHeaders } from './plain-headers.ts'

/** Longer ones come in several reads, and beside those node:http costs little. */
const MAX_HEAD_BYTES = 8 * 1_024
const MAX_BODY_BYTES = 32 * 1_024

const LOOKUP = 'GET /v1/scores'
const PREDICTION = 'POST /v1/predict HTTP/1.1'
/** Behind the method: nothing but a key, and nothing that a URL parser would rewrite. */
const BY_PATH = /^\/v1\/scores\/[!$%&'()*+,\-./0-9:;=@A-Z_a-z~]+ HTTP\/1\.1$/
const BY_QUERY = /^\/v1\/scores\?key=[!$%()*+,\-./0-9:;=@A-Z_a-z~]+ HTTP\/1\.1$/
const DOT_SEGMENT = /\/\.|%2e/i
const LENGTH = /^[1-9]\d{0,4}$/
const GET = 'GET '
const VERSION = ' HTTP/1.1'
const LINE_END = '\r\n'
const HEAD_END = '\r\n\r\n'
const NO_BODY = Buffer.alloc(0)

/** A lookup, or a prediction with all of its body. */
export interface PlainRequest {
  readonly route: 'lookup' | 'lookupByQuery' | 'predict'
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: PlainHeaders
  readonly wholeBody: Buffer
  /** From its first byte to its last. */
  readonly byteLength: number
}

/**
 * The plain request at the beginning of what a connection has sent: a lookup or a prediction and nothing beside it, every byte as
 * HTTP wants it. Where its head or body breaks off, it is `unfinished`; what needs to be interpreted is `other`, and
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
    ? lookup(text.slice(GET.length, lineEnd), headers, bodyAt)
    : prediction(bytes, headers, bodyAt, lineEnd)
}

/** @param line the target and the version */
function lookup(line: string, headers: PlainHeaders, byteLength: number): PlainRequest | 'other' {
  const isByPath = BY_PATH.test(line) && !DOT_SEGMENT.test(line)
  if (headers.get('content-length') !== null || !(isByPath || BY_QUERY.test(line))) return 'other'
  const route = isByPath ? 'lookup' : 'lookupByQuery'
  const url = line.slice(0, -VERSION.length)
  return { route, method: 'GET', url, headers, wholeBody: NO_BODY, byteLength }
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
  const wholeBody = bytes.subarray(bodyAt, byteLength)
  return { route: 'predict', method: 'POST', url: '/v1/predict', headers, wholeBody, byteLength }
}
