/**
 * Writes messages as a batch of records where a request wants them, in two passes: sizes, then bytes. kafkajs
 * allocates a zero-filled encoder for every record and every header, builds varints as arrays and copies each record
 * three times.
 */
import { Buffer } from 'node:buffer'
import { isSelfWritten, type OutgoingMessage } from '../outgoing-message.ts'
import { crc32c } from './crc32c.ts'
import { AT, MAGIC } from './record-batch-layout.ts'
import { sizeOfVarint, writeVarint } from './varint.ts'

/** A batch whose size is known. */
export interface PlannedBatch {
  readonly bytes: number
  readonly messages: readonly OutgoingMessage[]
  /** Of each record, without the varint that says it. */
  readonly recordBytes: readonly number[]
  readonly firstTimestampMs: number
  readonly maxTimestampMs: number
  /** Of messages without a time of their own. */
  readonly nowMs: number
}

const NO_PRODUCER_ID = -1n

export function planBatch(messages: readonly OutgoingMessage[], nowMs: number): PlannedBatch {
  let firstTimestampMs = Number.POSITIVE_INFINITY
  let maxTimestampMs = Number.NEGATIVE_INFINITY
  for (const { timestampMs } of messages) {
    if (timestampMs === undefined) continue
    if (timestampMs < firstTimestampMs) firstTimestampMs = timestampMs
    if (timestampMs > maxTimestampMs) maxTimestampMs = timestampMs
  }
  if (maxTimestampMs < firstTimestampMs) firstTimestampMs = maxTimestampMs = nowMs
  let bytes: number = AT.records
  const recordBytes: number[] = []
  for (const [row, message] of messages.entries()) {
    const size = sizeOfRecord(message, row, (message.timestampMs ?? nowMs) - firstTimestampMs)
    recordBytes.push(size)
    bytes += sizeOfVarint(size) + size
  }
  return { bytes, messages, recordBytes, firstTimestampMs, maxTimestampMs, nowMs }
}

/** @returns where the batch ends. */
export function writeBatch(into: Buffer, batch: PlannedBatch, start: number): number {
  const { messages, recordBytes, firstTimestampMs, nowMs } = batch
  const end = start + batch.bytes
  into.fill(0, start, start + AT.records)
  into.writeInt32BE(batch.bytes - AT.lengthEnd, start + AT.length)
  into[start + AT.magic] = MAGIC
  into.writeInt32BE(messages.length - 1, start + AT.lastOffsetDelta)
  into.writeBigInt64BE(BigInt(firstTimestampMs), start + AT.firstTimestamp)
  into.writeBigInt64BE(BigInt(batch.maxTimestampMs), start + AT.maxTimestamp)
  into.writeBigInt64BE(NO_PRODUCER_ID, start + AT.producerId)
  into.writeInt32BE(messages.length, start + AT.count)
  let at = start + AT.records
  for (const [row, message] of messages.entries()) {
    at = writeVarint(into, recordBytes[row]!, at)
    at = writeRecord(into, message, row, (message.timestampMs ?? nowMs) - firstTimestampMs, at)
  }
  into.writeUInt32BE(crc32c(into.subarray(start + AT.checked, end)), start + AT.checksum)
  return end
}

function sizeOfRecord(message: OutgoingMessage, offsetDelta: number, timestampDelta: number): number {
  const body = isSelfWritten(message) ? message.bodyBytes : sizeOfBody(message)
  return 1 + sizeOfVarint(timestampDelta) + sizeOfVarint(offsetDelta) + body
}

function sizeOfBody({ key, value, headers }: OutgoingMessage): number {
  let bytes = sizeOfBytes(key) + sizeOfBytes(value)
  let count = 0
  for (const name in headers) {
    count++
    bytes += sizeOfBytes(nameBytes(name)) + sizeOfBytes(headers[name]!)
  }
  return bytes + sizeOfVarint(count)
}

function writeRecord(
  into: Buffer,
  message: OutgoingMessage,
  offsetDelta: number,
  timestampDelta: number,
  start: number,
): number {
  into[start] = 0
  const at = writeVarint(into, offsetDelta, writeVarint(into, timestampDelta, start + 1))
  return isSelfWritten(message) ? message.writeBody(into, at) : writeBody(into, message, at)
}

function writeBody(into: Buffer, { key, value, headers }: OutgoingMessage, start: number): number {
  let at = writeBytes(into, key, start)
  at = writeBytes(into, value, at)
  let count = 0
  for (const _ in headers) count++
  at = writeVarint(into, count, at)
  for (const name in headers) {
    at = writeBytes(into, nameBytes(name), at)
    at = writeBytes(into, headers[name]!, at)
  }
  return at
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

function sizeOfBytes(bytes: Buffer | null): number {
  return bytes === null ? 1 : sizeOfVarint(bytes.length) + bytes.length
}

/** Up to here a loop is quicker than a call. */
const SHORT_BYTES = 16

function writeBytes(into: Buffer, bytes: Buffer | null, at: number): number {
  if (bytes === null) return writeVarint(into, -1, at)
  const { length } = bytes
  const start = writeVarint(into, length, at)
  if (length > SHORT_BYTES) into.set(bytes, start)
  else for (let i = 0; i < length; i++) into[start + i] = bytes[i]!
  return start + length
}
