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
  readonly firstOffset: number
  readonly firstTimestampMs: number
  /** When the broker stamped the whole batch; null: each record has its producer's time. */
  readonly appendedAtMs: number | null
  /** As kafkajs has it, for its filter of aborted transactions. */
  readonly producerId: string
  readonly inTransaction: boolean
  readonly isControlBatch: boolean
}

/** A record of a fetch. Its Buffers are views of the answer, made anew at each call. */
export class FetchedRecord implements IncomingMessage {
  readonly offset: number
  /** Name and type of this one, and of `isControlRecord`, are kafkajs's. */
  readonly batchContext: RecordBatchContext
  readonly #bytes: Buffer
  /** Of the record, behind the varint of its length. */
  readonly #start: number
  /** Of the varint of the key's length. */
  readonly #keyAt: number

  constructor(batchContext: RecordBatchContext, offset: number, bytes: Buffer, start: number, keyAt: number) {
    this.offset = offset
    this.batchContext = batchContext
    this.#bytes = bytes
    this.#start = start
    this.#keyAt = keyAt
  }

  get timestampMs(): number {
    const { firstTimestampMs, appendedAtMs } = this.batchContext
    return appendedAtMs ?? firstTimestampMs + new Varints(this.#bytes, this.#start + ATTRIBUTES_BYTES).next()
  }

  get key(): Buffer | null {
    return new Varints(this.#bytes, this.#keyAt).nextBytes()
  }

  /** 0 without a key. */
  get keyLength(): number {
    return Math.max(0, new Varints(this.#bytes, this.#keyAt).next())
  }

  /** 0 for a tombstone. */
  get valueLength(): number {
    const varints = new Varints(this.#bytes, this.#keyAt)
    varints.skipBytes()
    return Math.max(0, varints.next())
  }

  get value(): Buffer | null {
    const varints = new Varints(this.#bytes, this.#keyAt)
    varints.skipBytes()
    return varints.nextBytes()
  }

  /** Of a name that is repeated the last one counts. */
  get headers(): Record<string, Buffer | undefined> {
    const varints = new Varints(this.#bytes, this.#keyAt)
    varints.skipBytes()
    varints.skipBytes()
    const headers: Record<string, Buffer | undefined> = {}
    for (let left = varints.next(); left > 0; left--) {
      const name = varints.nextName()
      headers[name] = varints.nextBytes() as Buffer | undefined
    }
    return headers
  }

  /** @param header name of the one that is looked for; of those that are repeated the last one counts. */
  locate(header: Uint8Array, into: MessagePlaces): void {
    const bytes = this.#bytes
    const varints = new Varints(bytes, this.#keyAt)
    into.bytes = bytes
    const keyLength = varints.next()
    into.keyAt = varints.at
    into.keyTo = varints.at + keyLength
    if (keyLength > 0) varints.at += keyLength
    const valueLength = varints.next()
    into.valueAt = varints.at
    into.valueTo = varints.at + valueLength
    if (valueLength > 0) varints.at += valueLength
    into.headerAt = 0
    into.headerTo = -1
    for (let left = varints.next(); left > 0; left--) {
      const nameLength = varints.next()
      const nameAt = varints.at
      varints.at += nameLength
      const length = varints.next()
      if (sameBytes(bytes, nameAt, header, nameLength)) {
        into.headerAt = varints.at
        into.headerTo = varints.at + length
      }
      if (length > 0) varints.at += length
    }
  }

  get isControlRecord(): boolean {
    return this.batchContext.isControlBatch
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
    firstOffset: Number(bytes.readBigInt64BE(batchAt)),
    firstTimestampMs: Number(bytes.readBigInt64BE(batchAt + 27)),
    appendedAtMs: (attributes & LOG_APPEND_TIME) === 0 ? null : Number(bytes.readBigInt64BE(batchAt + 35)),
    producerId: `${bytes.readBigInt64BE(batchAt + 43)}`,
    inTransaction: (attributes & TRANSACTIONAL) !== 0,
    isControlBatch: (attributes & CONTROL) !== 0,
  }
  const varints = new Varints(bytes, batchAt + HEAD_BYTES)
  for (let left = bytes.readInt32BE(batchAt + 57); left > 0; left--) {
    const recordBytes = varints.next()
    const start = varints.at
    varints.at += ATTRIBUTES_BYTES
    varints.next()
    const offset = context.firstOffset + varints.next()
    into.push(new FetchedRecord(context, offset, bytes, start, varints.at))
    varints.at = start + recordBytes
  }
}

/** Reads what zigzag varints say, one after the other. */
class Varints {
  at: number
  readonly #bytes: Buffer

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  /** By arithmetic behind the first byte, since timestamps may pass 32 bits. */
  next(): number {
    const bytes = this.#bytes
    let byte = bytes[this.at++]!
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    let value = byte & 0x7f
    for (let factor = 0x80; byte >= 0x80; factor *= 0x80) {
      byte = bytes[this.at++]!
      value += (byte & 0x7f) * factor
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  skipBytes(): void {
    const length = this.next()
    if (length > 0) this.at += length
  }

  nextBytes(): Buffer | null {
    const length = this.next()
    if (length < 0) return null
    const from = this.at
    this.at += length
    return this.#bytes.subarray(from, this.at)
  }

  /** A topic has one or two, over and over: the last one is compared and not decoded. */
  nextName(): string {
    const length = this.next()
    const from = this.at
    this.at += length
    if (!sameBytes(this.#bytes, from, lastName.bytes, length)) {
      const bytes = this.#bytes.subarray(from, this.at)
      lastName = { bytes: Uint8Array.from(bytes), name: bytes.toString() }
    }
    return lastName.name
  }
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
