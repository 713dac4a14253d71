import { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
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
 *   4 u64 documentVersion   12 u64 epoch (< 2^48)   20 u32 primaryTerm   24 u64 seqNo   32 u64 capturedAtMs (all < 2^53)
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
  if (header === undefined || header.length === 0)
    throw new FreshetError('RECORD_MALFORMED', 'a change without its header')
  if (header[0] !== VERSION)
    throw new FreshetError('RECORD_VERSION', `change version ${header[0]}, this build reads ${VERSION}`)
  if (header.length !== CHANGE_HEADER_BYTES)
    throw new FreshetError(
      'RECORD_MALFORMED',
      `a change header of ${header.length} bytes, not ${CHANGE_HEADER_BYTES}`,
    )
  if ((header[1] === 1) !== (value === null))
    throw new FreshetError(
      'RECORD_MALFORMED',
      'a change whose header and value disagree on whether it is a delete',
    )
  return {
    key,
    revision: {
      documentVersion: readUint(header, 4),
      epoch: readUint(header, 12, 2 ** 48),
      primaryTerm: header.readUInt32BE(20),
      seqNo: readUint(header, 24),
    },
    capturedAtMs: readUint(header, 32),
    source: value,
    trace: readTrace(header),
  }
}

function readTrace(header: Buffer): TraceContext | null {
  if (header.readUInt32BE(40) === 0 && header.readUInt32BE(56) === 0 && header.readUInt32BE(60) === 0)
    return null
  if (lastRead === undefined || header.compare(lastRead.bytes, 0, 24, 40, 64) !== 0) {
    const trace = { traceId: header.toString('hex', 40, 56), spanId: header.toString('hex', 56, 64) }
    lastRead = { bytes: Buffer.from(header.subarray(40, 64)), trace }
  }
  return lastRead.trace
}

/** As when writing: a page has one, and two texts of it for each document would be most of what decoding costs. */
let lastRead: { readonly bytes: Buffer; readonly trace: TraceContext } | undefined

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

/** A number that a rank has no place for must not get past here: every store would choke on it, again and again. */
function readUint(bytes: Buffer, at: number, limit = 2 ** 53): number {
  const value = bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)
  if (value >= limit)
    throw new FreshetError('RECORD_MALFORMED', `a change header with a number out of range at byte ${at}`)
  return value
}
