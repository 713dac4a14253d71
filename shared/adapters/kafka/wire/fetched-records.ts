/**
 * The records of a partition in an answer to a fetch, in place of kafkajs 2.2.4's decoder. That one makes about thirty
 * objects of each record, BigInts and zero-filled encoders among them, and all of a fetch stay alive until the last of it
 * is handled, so each scavenge copies them. Here a record is one small object that knows where its bytes begin; key, value
 * and headers are cut out when they are asked for.
 */
import type { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { IncomingMessage } from '../batch.ts'
import { crc32c } from './crc32c.ts'
import type { MessagePlaces } from './message-places.ts'
import { AT, MAGIC } from './record-batch-layout.ts'
import { UNCOMPRESSED, unpack } from './unpack.ts'

/** What all records of a batch have in common. */
export interface RecordBatchContext {
  /** Among which the records stand: of the answer, or what was compressed in it. */
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
    return appendedAtMs ?? firstTimestampMs + new RecordReader(bytes, this.#start + ATTRIBUTES_BYTES).varint()
  }

  get key(): Buffer | null {
    return this.#atKey().view()
  }

  /** 0 without a key. */
  get keyLength(): number {
    return Math.max(0, this.#atKey().varint())
  }

  get value(): Buffer | null {
    return this.#atValue().view()
  }

  /** 0 for a tombstone. */
  get valueLength(): number {
    return Math.max(0, this.#atValue().varint())
  }

  /** Of a name that is repeated the last one counts. */
  get headers(): Record<string, Buffer | undefined> {
    const reader = this.#atValue()
    reader.skip(reader.varint())
    const headers: Record<string, Buffer | undefined> = {}
    for (let left = reader.varint(); left > 0; left--) {
      const nameLength = reader.varint()
      const name = nameAt(reader.bytes, reader.at, nameLength)
      reader.skip(nameLength)
      headers[name] = reader.view() as Buffer | undefined
      reader.check()
    }
    return headers
  }

  /** @param header name of the one that is looked for; of those that are repeated the last one counts. */
  locate(header: Uint8Array, into: MessagePlaces): void {
    const reader = this.#atKey()
    into.bytes = reader.bytes
    const keyLength = reader.varint()
    into.keyAt = reader.at
    into.keyTo = reader.at + keyLength
    reader.skip(keyLength)
    const valueLength = reader.varint()
    into.valueAt = reader.at
    into.valueTo = reader.at + valueLength
    reader.skip(valueLength)
    into.headerAt = 0
    into.headerTo = -1
    for (let left = reader.varint(); left > 0; left--) {
      const nameLength = reader.varint()
      const isWanted = sameBytes(reader.bytes, reader.at, header, nameLength)
      reader.skip(nameLength)
      const length = reader.varint()
      if (isWanted) {
        into.headerAt = reader.at
        into.headerTo = reader.at + length
      }
      reader.skip(length)
      reader.check()
    }
    reader.check()
  }

  get isControlRecord(): boolean {
    return this.batchContext.isControlBatch
  }

  /** Before the key's length. */
  #atKey(): RecordReader {
    const reader = new RecordReader(this.batchContext.bytes, this.#start + ATTRIBUTES_BYTES)
    reader.varint() // the time
    reader.varint() // the offset
    return reader
  }

  /** Before the value's length. */
  #atValue(): RecordReader {
    const reader = this.#atKey()
    reader.skip(reader.varint())
    return reader
  }
}

/**
 * @param bytes record batches one after the other; the last may be cut off, and is then left out, as the broker cuts
 *   where the limit of the fetch is.
 * @returns the records in their order
 * @throws KAFKA_CORRUPT when a batch does not match its checksum, which brokers do not look at when they send it, or is of
 *   before Kafka 0.11, which knew no headers; TOPIC_POLICY for compression that is not read here
 */
export function decodeRecords(bytes: Buffer): FetchedRecord[] {
  const records: FetchedRecord[] = []
  for (let at = 0; bytes.length - at >= MIN_BATCH_BYTES; ) {
    const length = bytes.readInt32BE(at + AT.length)
    const end = at + AT.lengthEnd + length
    if (bytes[at + AT.magic] !== MAGIC)
      throw corrupt(`a batch of format ${bytes[at + AT.magic]}: of before Kafka 0.11, or damaged`)
    if (length < AT.records - AT.lengthEnd) throw corrupt(`a batch says that it has ${length} bytes`)
    if (end > bytes.length) break
    const attributes = bytes.readInt16BE(at + AT.checked)
    checkBatch(bytes, at, end)
    // What compaction left empty is not compressed, whatever its attributes say.
    const codec = bytes.readInt32BE(at + AT.count) > 0 ? attributes & COMPRESSION_MASK : UNCOMPRESSED
    const places =
      codec === UNCOMPRESSED
        ? { bytes, from: at + AT.records, to: end }
        : unpacked(bytes.subarray(at + AT.records, end), codec)
    readRecords(bytes, at, places, attributes, records)
    at = end
  }
  return records
}

function checkBatch(bytes: Buffer, at: number, end: number): void {
  if (crc32c(bytes.subarray(at + AT.checked, end)) === bytes.readUInt32BE(at + AT.checksum)) return
  const offset = bytes.readBigInt64BE(at + AT.firstOffset)
  throw corrupt(`the records from offset ${offset} on do not match their checksum`)
}

/** Where the records of a batch stand. */
interface Places {
  readonly bytes: Buffer
  readonly from: number
  readonly to: number
}

function unpacked(packed: Buffer, codec: number): Places {
  const bytes = unpack(packed, codec)
  return { bytes, from: 0, to: bytes.length }
}

/** A checksum proves that the bytes are those of who wrote them, not that they are records. */
function readRecords(
  head: Buffer,
  batchAt: number,
  { bytes, from, to }: Places,
  attributes: number,
  into: FetchedRecord[],
): void {
  const context: RecordBatchContext = {
    bytes,
    firstOffset: Number(head.readBigInt64BE(batchAt + AT.firstOffset)),
    firstTimestampMs: Number(head.readBigInt64BE(batchAt + AT.firstTimestamp)),
    appendedAtMs:
      (attributes & LOG_APPEND_TIME) === 0 ? null : Number(head.readBigInt64BE(batchAt + AT.maxTimestamp)),
    producerId: `${head.readBigInt64BE(batchAt + AT.producerId)}`,
    inTransaction: (attributes & TRANSACTIONAL) !== 0,
    isControlBatch: (attributes & CONTROL) !== 0,
  }
  const reader = new RecordReader(bytes, from)
  for (let left = head.readInt32BE(batchAt + AT.count); left > 0; left--) {
    const recordBytes = reader.varint()
    const start = reader.at
    reader.skip(ATTRIBUTES_BYTES)
    reader.varint() // the time
    into.push(new FetchedRecord(context, context.firstOffset + reader.varint(), start))
    const end = start + recordBytes
    if (!(recordBytes >= MIN_RECORD_BYTES && end <= to)) throw corrupt('a record ends outside its batch')
    reader.at = end
  }
}

/** Reads one after the other. It lives no longer than a call, so that V8 need not make it at all. */
class RecordReader {
  readonly bytes: Buffer
  at: number

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes
    this.at = at
  }

  /** What a zigzag varint says. By arithmetic behind the first byte, since timestamps may pass 32 bits. */
  varint(): number {
    let byte = this.bytes[this.at++]!
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    let value = byte & 0x7f
    for (let factor = 0x80; byte >= 0x80; factor *= 0x80) {
      if (factor > MAX_FACTOR) throw corrupt('a number of more than ten bytes')
      byte = this.bytes[this.at++]!
      value += (byte & 0x7f) * factor
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** @param length below 0: there is nothing */
  skip(length: number): void {
    if (length > 0) this.at += length
  }

  /** Of the bytes behind the varint of their length; null where there are none, not even no bytes. */
  view(): Buffer | null {
    const length = this.varint()
    if (length < 0) return null
    const start = this.at
    this.at += length
    this.check()
    return this.bytes.subarray(start, this.at)
  }

  /** @throws KAFKA_CORRUPT when something reached beyond the answer; a loop over what is said to be there ends here */
  check(): void {
    if (this.at > this.bytes.length) throw corrupt('a part of a record ends outside the answer')
  }
}

function corrupt(what: string): FreshetError {
  return new FreshetError('KAFKA_CORRUPT', what)
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

/** As kafkajs has it: less is no batch. */
const MIN_BATCH_BYTES = 49
/** A byte at the begin of a record, without a meaning yet. */
const ATTRIBUTES_BYTES = 1
/** Attributes, time, offset, key, value and headers have one byte each, at least. */
const MIN_RECORD_BYTES = 6
/** Of the tenth byte of a varint. */
const MAX_FACTOR = 2 ** 63
const COMPRESSION_MASK = 0x07
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20
