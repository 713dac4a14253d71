/**
 * The records of a partition in an answer to a fetch (KIP-98, read by record-batch.ts's layout), in place of kafkajs
 * 2.2.4's decoder. That one makes about thirty objects of each record, BigInts and zero-filled encoders among them, and
 * all of a fetch stay alive until the last of it is handled, so each scavenge copies them. Here a record is one small
 * object that knows where its bytes begin; key, value and headers are cut out when they are asked for.
 */
import type { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { IncomingMessage } from './batch.ts'
import { crc32c } from './crc32c.ts'
import type { MessagePlaces } from './message-parts.ts'

/** What all records of a batch have in common. */
export interface RecordBatchContext {
  /** Among which the records stand. */
  readonly bytes: Buffer
  readonly firstOffset: number
  readonly firstTimestampMs: number
  /** When the broker stamped the whole batch; null: each record has its producer's time. */
  readonly appendedAtMs: number | null
  /** As kafkajs has it, for its filter of aborted transactions. */
  readonly producerId: string
  readonly inTransaction: boolean
  readonly isControlBatch: boolean
}

/** A record of a fetch. Its Buffers are views of the answer, made anew at each call. Small: all of a fetch live long. */
export class FetchedRecord implements IncomingMessage {
  readonly offset: number
  /** Name and type of this one, and of `isControlRecord`, are kafkajs's. */
  readonly batchContext: RecordBatchContext
  /** Of the record, behind the varint of its length. */
  readonly #start: number

  constructor(batchContext: RecordBatchContext, offset: number, start: number) {
    this.offset = offset
    this.batchContext = batchContext
    this.#start = start
  }

  get timestampMs(): number {
    const { bytes, firstTimestampMs, appendedAtMs } = this.batchContext
    return appendedAtMs ?? firstTimestampMs + varintAt(bytes, this.#start + ATTRIBUTES_BYTES)
  }

  get key(): Buffer | null {
    const { bytes } = this.batchContext
    return bytesBehind(bytes, varintAt(bytes, this.#keyAt()))
  }

  /** 0 without a key. */
  get keyLength(): number {
    return Math.max(0, varintAt(this.batchContext.bytes, this.#keyAt()))
  }

  get value(): Buffer | null {
    const { bytes } = this.batchContext
    return bytesBehind(bytes, varintAt(bytes, this.#valueAt()))
  }

  /** 0 for a tombstone. */
  get valueLength(): number {
    return Math.max(0, varintAt(this.batchContext.bytes, this.#valueAt()))
  }

  /** Of a name that is repeated the last one counts. */
  get headers(): Record<string, Buffer | undefined> {
    const { bytes } = this.batchContext
    const headers: Record<string, Buffer | undefined> = {}
    let left = varintAt(bytes, behindBytes(bytes, this.#valueAt()))
    for (let at = behindVarint; left > 0; left--) {
      const nameLength = varintAt(bytes, at)
      const name = nameAt(bytes, behindVarint, nameLength)
      const valueAt = behindVarint + nameLength
      headers[name] = bytesBehind(bytes, varintAt(bytes, valueAt)) as Buffer | undefined
      at = behindBytes(bytes, valueAt)
    }
    return headers
  }

  /** @param header name of the one that is looked for; of those that are repeated the last one counts. */
  locate(header: Uint8Array, into: MessagePlaces): void {
    const { bytes } = this.batchContext
    into.bytes = bytes
    const keyLength = varintAt(bytes, this.#keyAt())
    into.keyAt = behindVarint
    into.keyTo = behindVarint + keyLength
    const valueLength = varintAt(bytes, behindVarint + Math.max(0, keyLength))
    into.valueAt = behindVarint
    into.valueTo = behindVarint + valueLength
    into.headerAt = 0
    into.headerTo = -1
    let left = varintAt(bytes, behindVarint + Math.max(0, valueLength))
    for (; left > 0; left--) {
      const nameLength = varintAt(bytes, behindVarint)
      const nameAt = behindVarint
      const length = varintAt(bytes, nameAt + nameLength)
      if (sameBytes(bytes, nameAt, header, nameLength)) {
        into.headerAt = behindVarint
        into.headerTo = behindVarint + length
      }
      behindVarint += Math.max(0, length)
    }
  }

  get isControlRecord(): boolean {
    return this.batchContext.isControlBatch
  }

  /** Of the varint of the key's length. */
  #keyAt(): number {
    const { bytes } = this.batchContext
    varintAt(bytes, this.#start + ATTRIBUTES_BYTES)
    varintAt(bytes, behindVarint)
    return behindVarint
  }

  /** Of the varint of the value's length. */
  #valueAt(): number {
    return behindBytes(this.batchContext.bytes, this.#keyAt())
  }
}

/**
 * @param bytes record batches one after the other; the last may be cut off, and is then left out, as the broker cuts
 *   where the limit of the fetch is.
 * @returns the records in their order; null when a batch is compressed, or of before Kafka 0.11: not ours to read
 * @throws KAFKA_CORRUPT when a batch does not match its checksum, which brokers do not look at when they send it
 */
export function decodeRecords(bytes: Buffer): FetchedRecord[] | null {
  const records: FetchedRecord[] = []
  for (let at = 0; bytes.length - at >= MIN_BATCH_BYTES; ) {
    const end = at + LENGTH_END + bytes.readInt32BE(at + 8)
    if (bytes[at + 16] !== MAGIC) return null
    if (end > bytes.length) break
    const attributes = bytes.readInt16BE(at + CHECKED_FROM)
    checkBatch(bytes, at, end)
    if ((attributes & COMPRESSION_MASK) !== 0) return null
    readRecords(bytes, at, attributes, records)
    at = end
  }
  return records
}

function checkBatch(bytes: Buffer, at: number, end: number): void {
  if (crc32c(bytes.subarray(at + CHECKED_FROM, end)) === bytes.readUInt32BE(at + 17)) return
  const offset = bytes.readBigInt64BE(at)
  throw new FreshetError('KAFKA_CORRUPT', `the records from offset ${offset} on do not match their checksum`)
}

function readRecords(bytes: Buffer, batchAt: number, attributes: number, into: FetchedRecord[]): void {
  const context: RecordBatchContext = {
    bytes,
    firstOffset: Number(bytes.readBigInt64BE(batchAt)),
    firstTimestampMs: Number(bytes.readBigInt64BE(batchAt + 27)),
    appendedAtMs: (attributes & LOG_APPEND_TIME) === 0 ? null : Number(bytes.readBigInt64BE(batchAt + 35)),
    producerId: `${bytes.readBigInt64BE(batchAt + 43)}`,
    inTransaction: (attributes & TRANSACTIONAL) !== 0,
    isControlBatch: (attributes & CONTROL) !== 0,
  }
  let at = batchAt + HEAD_BYTES
  for (let left = bytes.readInt32BE(batchAt + 57); left > 0; left--) {
    const recordBytes = varintAt(bytes, at)
    const start = behindVarint
    varintAt(bytes, start + ATTRIBUTES_BYTES)
    const offset = context.firstOffset + varintAt(bytes, behindVarint)
    into.push(new FetchedRecord(context, offset, start))
    at = start + recordBytes
  }
}

/** Where what was read last by `varintAt` ends: in the place of an object a call, or two results. */
let behindVarint = 0

/** What a zigzag varint says. By arithmetic behind the first byte, since timestamps may pass 32 bits. */
function varintAt(bytes: Buffer, start: number): number {
  let at = start
  let byte = bytes[at++]!
  if (byte < 0x80) {
    behindVarint = at
    return (byte >>> 1) ^ -(byte & 1)
  }
  let value = byte & 0x7f
  for (let factor = 0x80; byte >= 0x80; factor *= 0x80) {
    byte = bytes[at++]!
    value += (byte & 0x7f) * factor
  }
  behindVarint = at
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}

/** Behind bytes and the varint of their length, which stands at `at`. */
function behindBytes(bytes: Buffer, at: number): number {
  const length = varintAt(bytes, at)
  return behindVarint + Math.max(0, length)
}

/** Those behind the varint of their length, which was read last. */
function bytesBehind(bytes: Buffer, length: number): Buffer | null {
  return length < 0 ? null : bytes.subarray(behindVarint, behindVarint + length)
}

/** A topic has one or two, over and over: the last one is compared and not decoded. */
function nameAt(bytes: Buffer, at: number, length: number): string {
  if (!sameBytes(bytes, at, lastName.bytes, length)) {
    const own = bytes.subarray(at, at + length)
    lastName = { bytes: Uint8Array.from(own), name: own.toString() }
  }
  return lastName.name
}

let lastName = { bytes: new Uint8Array(0), name: '' }

function sameBytes(bytes: Buffer, from: number, name: Uint8Array, length: number): boolean {
  if (name.length !== length) return false
  for (let i = 0; i < length; i++) if (bytes[from + i] !== name[i]) return false
  return true
}

const MAGIC = 2
/** Up to and with the batch's length, which counts from here. */
const LENGTH_END = 12
const HEAD_BYTES = 61
/** The checksum is of all from here on. */
const CHECKED_FROM = 21
/** As kafkajs has it: less is no batch. */
const MIN_BATCH_BYTES = 49
/** A byte at the begin of a record, without a meaning yet. */
const ATTRIBUTES_BYTES = 1
const COMPRESSION_MASK = 0x07
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20
