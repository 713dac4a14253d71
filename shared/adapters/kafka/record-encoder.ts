/**
 * Writes a batch of records of kafkajs 2.2.4 into one buffer of its exact size. Stock allocates a zero-filled 512-byte
 * encoder for every record and every header, builds varints as arrays and copies each record three times, which is
 * most of what producing costs. The bytes are the same, and a test holds them to it.
 *
 * Batch (KIP-98): 0 baseOffset i64, 8 length i32 of what follows, 12 leader epoch i32, 16 magic i8 = 2, 17 crc u32 of all
 * from 21 on, 21 attributes i16, 23 last offset delta i32, 27 first and 35 max timestamp i64, 43 producer id i64, 51
 * producer epoch i16, 53 first sequence i32, 57 count i32, 61 records.
 * Record: length varint, attributes i8, timestampDelta varlong, offsetDelta varint, key, value (each varint length, −1 for
 * null, then bytes), headers (varint count; each: varint length and name, varint length and value).
 */
import { Buffer } from 'node:buffer'
import { crc32c } from './crc32c.ts'

export interface KafkaJsRecord {
  readonly offsetDelta?: number
  readonly timestampDelta?: number
  readonly key?: Buffer | string | null
  readonly value: Buffer | string | null
  readonly headers?: Readonly<Record<string, HeaderValue | readonly HeaderValue[] | undefined>>
}

type HeaderValue = Buffer | string

/** A record whose size is known, to be written where its batch wants it. */
export interface SizedRecord {
  readonly timestampDelta: number
  readonly offsetDelta: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** Name and value of each header in turn; a repeated header has its name repeated. */
  readonly headers: readonly Buffer[]
  readonly bodyBytes: number
}

export interface KafkaJsBatch {
  readonly records: readonly SizedRecord[]
  readonly firstTimestamp: number | string
  readonly maxTimestamp: number | string
  readonly lastOffsetDelta: number
  readonly compression?: number
  readonly transactional?: boolean
  readonly producerId?: { toString(): string }
  readonly producerEpoch?: number
  readonly firstSequence?: number
}

/** What kafkajs copies of an encoder: `buf` tells that it is one. */
export interface Encoded {
  readonly buf: Buffer
  readonly buffer: Buffer
  size(): number
}

const HEAD_BYTES = 61
const MAGIC = 2
const TRANSACTIONAL = 16

/** In the place of kafkajs's record encoder. */
export function sizeRecord({
  offsetDelta = 0,
  timestampDelta = 0,
  key,
  value,
  headers,
}: KafkaJsRecord): SizedRecord {
  const keyBytes = toBytes(key)
  const valueBytes = toBytes(value)
  const headerBytes = headers === undefined ? NO_HEADERS : flatten(headers)
  let bodyBytes =
    1 +
    sizeOfVarint(timestampDelta) +
    sizeOfVarint(offsetDelta) +
    sizeOfBytes(keyBytes) +
    sizeOfBytes(valueBytes) +
    sizeOfVarint(headerBytes.length / 2)
  for (const bytes of headerBytes) bodyBytes += sizeOfBytes(bytes)
  return { timestampDelta, offsetDelta, key: keyBytes, value: valueBytes, headers: headerBytes, bodyBytes }
}

/**
 * In the place of kafkajs's batch encoder.
 * @throws when a compression is asked for: nobody here does, and stock would have to encode each record by itself
 */
export async function encodeBatch(batch: KafkaJsBatch): Promise<Encoded> {
  const { records, transactional = false, compression = 0, producerEpoch = 0, firstSequence = 0 } = batch
  if (compression !== 0) throw new Error('this encoder does not compress')
  let totalBytes = HEAD_BYTES
  for (const { bodyBytes } of records) totalBytes += sizeOfVarint(bodyBytes) + bodyBytes
  const bytes = Buffer.allocUnsafe(totalBytes)
  bytes.fill(0, 0, HEAD_BYTES)
  bytes.writeInt32BE(totalBytes - 12, 8)
  bytes[16] = MAGIC
  bytes.writeInt16BE(transactional ? TRANSACTIONAL : 0, 21)
  bytes.writeInt32BE(batch.lastOffsetDelta, 23)
  bytes.writeBigInt64BE(BigInt(batch.firstTimestamp), 27)
  bytes.writeBigInt64BE(BigInt(batch.maxTimestamp), 35)
  bytes.writeBigInt64BE(BigInt(batch.producerId?.toString() ?? -1), 43)
  bytes.writeInt16BE(producerEpoch, 51)
  bytes.writeInt32BE(firstSequence, 53)
  bytes.writeInt32BE(records.length, 57)
  let at = HEAD_BYTES
  for (const record of records) at = writeRecord(bytes, record, at)
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17)
  return { buf: bytes, buffer: bytes, size: () => totalBytes }
}

function writeRecord(into: Buffer, record: SizedRecord, start: number): number {
  const { bodyBytes, timestampDelta, offsetDelta, key, value, headers } = record
  let at = writeVarint(into, bodyBytes, start)
  into[at++] = 0
  at = writeVarint(into, timestampDelta, at)
  at = writeVarint(into, offsetDelta, at)
  at = writeBytes(into, key, at)
  at = writeBytes(into, value, at)
  at = writeVarint(into, headers.length / 2, at)
  for (const bytes of headers) at = writeBytes(into, bytes, at)
  return at
}

const NO_HEADERS: readonly Buffer[] = []

function flatten(headers: NonNullable<KafkaJsRecord['headers']>): Buffer[] {
  const flat: Buffer[] = []
  for (const name in headers) {
    const value = headers[name]
    if (Array.isArray(value)) for (const one of value) flat.push(nameBytes(name), toBytes(one)!)
    else flat.push(nameBytes(name), toBytes(value as HeaderValue)!)
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
