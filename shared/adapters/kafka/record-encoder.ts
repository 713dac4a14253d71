/**
 * Writes a record of kafkajs 2.2.4 into one buffer of its exact size. Stock allocates a zero-filled 512-byte encoder for
 * every record and every header and builds varints as arrays, which is half of what producing costs. The bytes are
 * the same, and a test holds them to it. This is all that replaces kafkajs's own code.
 *
 * Record (KIP-98): length varint, attributes int8, timestampDelta varlong, offsetDelta varint, key, value (each varint
 * length, −1 for null, then bytes), headers (varint count; each: varint length and name, varint length and value).
 */
import { Buffer } from 'node:buffer'
import { createRequire } from 'node:module'

export interface KafkaJsRecord {
  readonly offsetDelta?: number
  readonly timestampDelta?: number
  readonly key?: Buffer | string | null
  readonly value: Buffer | string | null
  readonly headers?: Readonly<Record<string, HeaderValue | readonly HeaderValue[] | undefined>>
}

type HeaderValue = Buffer | string

/** What kafkajs's batch encoder takes of a record: `buf` tells that it is one, `buffer` is copied. */
export interface EncodedRecord {
  readonly buf: Buffer
  readonly buffer: Buffer
}

const require = createRequire(import.meta.url)
const RECORD_MODULE = 'kafkajs/src/protocol/recordBatch/record/v0/index.js'

/** kafkajs's own encoder, for the test. */
export const encodeRecordStock = require(RECORD_MODULE) as (record: KafkaJsRecord) => EncodedRecord

/** Holds for every producer of this process. kafkajs loads its encoders when it first produces, so do this before. */
export function useRecordEncoder(): void {
  require.cache[require.resolve(RECORD_MODULE)]!.exports = encodeRecord
}

export function encodeRecord({
  offsetDelta = 0,
  timestampDelta = 0,
  key,
  value,
  headers,
}: KafkaJsRecord): EncodedRecord {
  const keyBytes = toBytes(key)
  const valueBytes = toBytes(value)
  const headerBytes = headers === undefined ? [] : flatten(headers)
  let bodyBytes =
    1 +
    sizeOfVarint(timestampDelta) +
    sizeOfVarint(offsetDelta) +
    sizeOfBytes(keyBytes) +
    sizeOfBytes(valueBytes)
  bodyBytes += sizeOfVarint(headerBytes.length / 2)
  for (const bytes of headerBytes) bodyBytes += sizeOfBytes(bytes)

  const record = Buffer.allocUnsafe(sizeOfVarint(bodyBytes) + bodyBytes)
  let at = writeVarint(record, bodyBytes, 0)
  record[at++] = 0
  at = writeVarint(record, timestampDelta, at)
  at = writeVarint(record, offsetDelta, at)
  at = writeBytes(record, keyBytes, at)
  at = writeBytes(record, valueBytes, at)
  at = writeVarint(record, headerBytes.length / 2, at)
  for (const bytes of headerBytes) at = writeBytes(record, bytes, at)
  return { buf: record, buffer: record }
}

/** Name and value of each header in turn; a repeated header has its name repeated. */
function flatten(headers: NonNullable<KafkaJsRecord['headers']>): Buffer[] {
  const flat: Buffer[] = []
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    for (const one of Array.isArray(value) ? (value as readonly HeaderValue[]) : [value as HeaderValue])
      flat.push(nameBytes(name), toBytes(one)!)
  }
  return flat
}

/** We write one or two names, over and over. */
const NAMES = new Map<string, Buffer>()
const MAX_NAMES = 64

function nameBytes(name: string): Buffer {
  const known = NAMES.get(name)
  if (known !== undefined) return known
  const bytes = Buffer.from(name)
  if (NAMES.size < MAX_NAMES) NAMES.set(name, bytes)
  return bytes
}

function toBytes(value: Buffer | string | null | undefined): Buffer | null {
  if (value == null) return null
  return typeof value === 'string' ? Buffer.from(value) : value
}

function sizeOfBytes(bytes: Buffer | null): number {
  return bytes === null ? 1 : sizeOfVarint(bytes.length) + bytes.length
}

function writeBytes(into: Buffer, bytes: Buffer | null, at: number): number {
  if (bytes === null) return writeVarint(into, -1, at)
  const start = writeVarint(into, bytes.length, at)
  into.set(bytes, start)
  return start + bytes.length
}

/** Zigzag: whole numbers from −2^52 to 2^52, by arithmetic, since timestamps pass 32 bits. */
function zigzag(value: number): number {
  return value < 0 ? -value * 2 - 1 : value * 2
}

function sizeOfVarint(value: number): number {
  let size = 1
  for (let rest = zigzag(value); rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  return size
}

function writeVarint(into: Buffer, value: number, at: number): number {
  let rest = zigzag(value)
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) into[at++] = (rest % 0x80) | 0x80
  into[at++] = rest
  return at
}
