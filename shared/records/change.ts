import { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import { MOMENTS_END_MS } from './moment.ts'
import type { Revision } from './revision.ts'

/** (2) One version of one document, as it travels through `.changes`. */
export interface Change {
  /** UTF-8 bytes of the document's key. */
  readonly key: Buffer
  readonly revision: Revision
  /** Wall-clock milliseconds at which the poller saw it: the moment for which a score speaks. */
  readonly capturedAtMs: number
  /** The exact bytes of `_source`; null for a delete. */
  readonly source: Buffer | null
  /** The span that produced it, so that the scorer can link back; null when not traced. */
  readonly trace: TraceContext | null
}

export interface TraceContext {
  /** 32 lower-case hex digits. */
  readonly traceId: string
  /** 16 lower-case hex digits. */
  readonly spanId: string
}

/** The one header of a `.changes` message (each kafkajs header costs 1.5 to 2 µs, so all metadata is packed here). */
export const CHANGE_HEADER = 'c'

/*
 * Version 1, big-endian:
 *   0 u8 version   1 u8 kind (0 document, 1 delete)   2 u16 zero
 *   4 u64 documentVersion   12 u64 epoch (< 2^48)   20 u32 primaryTerm   24 u64 seqNo (all < 2^53)
 *  32 u64 capturedAtMs (a moment)
 *  40 16 bytes trace id    56 8 bytes span id (all zero: not traced)
 */
const VERSION = 1
export const CHANGE_HEADER_BYTES = 64

export function encodeChangeHeader(change: Change): Buffer {
  const { revision, trace } = change
  const bytes = Buffer.allocUnsafe(CHANGE_HEADER_BYTES) // from the pool: one of these for every document
  bytes[0] = VERSION
  bytes[1] = change.source === null ? 1 : 0
  bytes[2] = bytes[3] = 0
  writeUint53(bytes, revision.epoch, 12)
  writeUint53(bytes, change.capturedAtMs, 32)
  bytes.set(trace === null ? NO_TRACE : traceBytes(trace), 40)
  writeRevision(bytes, revision, 0)
  return bytes
}

/**
 * Writes what tells the changes of one page apart into a copy of the header of another of them.
 * @param start of the header.
 * @throws RECORD_MALFORMED
 */
export function writeRevision(header: Buffer, revision: Revision, start: number): void {
  writeUint53(header, revision.documentVersion, start + 4)
  writeUint32(header, revision.primaryTerm, start + 20)
  writeUint53(header, revision.seqNo, start + 24)
}

const NO_TRACE = Buffer.alloc(24)
/** All documents of a page have the same trace. */
let lastTrace: { readonly of: TraceContext | null; readonly bytes: Buffer } = { of: null, bytes: NO_TRACE }

function traceBytes(trace: TraceContext): Buffer {
  if (lastTrace.of !== trace)
    lastTrace = { of: trace, bytes: Buffer.from(trace.traceId + trace.spanId, 'hex') }
  return lastTrace.bytes
}

/**
 * @param value the message's value: `_source`, or null for a delete.
 * @throws RECORD_VERSION, RECORD_MALFORMED
 */
export function decodeChange(key: Buffer, header: Buffer | undefined, value: Buffer | null): Change {
  const fields = new ChangeHeader()
  fields.read(header ?? NO_TRACE, 0, header?.length ?? 0, value === null)
  const { documentVersion, epoch, primaryTerm, seqNo, capturedAtMs, trace } = fields
  return { key, revision: { documentVersion, epoch, primaryTerm, seqNo }, capturedAtMs, source: value, trace }
}

/** Reads headers, one after the other, that stand among other bytes. */
export class ChangeHeader {
  documentVersion = 0
  epoch = 0
  primaryTerm = 0
  seqNo = 0
  capturedAtMs = 0
  trace: TraceContext | null = null

  /**
   * @param end of the header; not above `start`: there is none.
   * @param isDelete whether the message has no value.
   * @throws RECORD_VERSION, RECORD_MALFORMED
   */
  read(bytes: Uint8Array, start: number, end: number, isDelete: boolean): void {
    if (end <= start) throw new FreshetError('RECORD_MALFORMED', 'a change without its header')
    if (bytes[start] !== VERSION)
      throw new FreshetError('RECORD_VERSION', `change version ${bytes[start]}, this build reads ${VERSION}`)
    if (end - start !== CHANGE_HEADER_BYTES)
      throw new FreshetError(
        'RECORD_MALFORMED',
        `a change header of ${end - start} bytes, not ${CHANGE_HEADER_BYTES}`,
      )
    if ((bytes[start + 1] === 1) !== isDelete)
      throw new FreshetError(
        'RECORD_MALFORMED',
        'a change whose header and value disagree on whether it is a delete',
      )
    this.documentVersion = readUint(bytes, start, 4)
    this.epoch = readUint(bytes, start, 12, 2 ** 48)
    this.primaryTerm = readUint32(bytes, start + 20)
    this.seqNo = readUint(bytes, start, 24)
    this.capturedAtMs = readUint(bytes, start, 32, MOMENTS_END_MS)
    this.trace = readTrace(bytes, start + TRACE_AT)
  }
}

const TRACE_AT = 40

function readTrace(bytes: Uint8Array, start: number): TraceContext | null {
  const isUntraced =
    readUint32(bytes, start) === 0 &&
    readUint32(bytes, start + 16) === 0 &&
    readUint32(bytes, start + 20) === 0
  if (isUntraced) return null
  for (let i = 0; i < lastRead.bytes.length; i++)
    if (lastRead.bytes[i] !== bytes[start + i]) return readOtherTrace(bytes, start)
  return lastRead.trace
}

function readOtherTrace(bytes: Uint8Array, start: number): TraceContext {
  const own = Buffer.from(bytes.subarray(start, start + NO_TRACE.length))
  lastRead = {
    bytes: Uint8Array.from(own),
    trace: { traceId: own.toString('hex', 0, 16), spanId: own.toString('hex', 16) },
  }
  return lastRead.trace
}

/** As when writing: a page has one, and two texts of it for each document would be most of what decoding costs. */
let lastRead = { bytes: new Uint8Array(NO_TRACE), trace: { traceId: '', spanId: '' } }

function writeUint53(bytes: Buffer, value: number, at: number): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new FreshetError('RECORD_MALFORMED', `${value} is not a whole number from 0 to 2^53`)
  writeUint32(bytes, Math.floor(value / 2 ** 32), at)
  writeUint32(bytes, value % 2 ** 32, at + 4)
}

/** By hand: Buffer's own checks more, and one of these stands in every document. */
function writeUint32(bytes: Buffer, value: number, at: number): void {
  if (!(value >= 0 && value < 2 ** 32))
    throw new FreshetError('RECORD_MALFORMED', `${value} is not a whole number of 32 bits`)
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

/** A number that a rank or a date has no place for must not get past here: every store would choke on it, again and again. */
function readUint(bytes: Uint8Array, start: number, at: number, limit = 2 ** 53): number {
  const value = readUint32(bytes, start + at) * 2 ** 32 + readUint32(bytes, start + at + 4)
  if (value >= limit)
    throw new FreshetError('RECORD_MALFORMED', `a change header with a number out of range at byte ${at}`)
  return value
}

function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}
