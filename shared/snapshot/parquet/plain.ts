/**
 * Parquet's PLAIN encoding of the kinds of columns that a snapshot has. Numbers are little-endian, as typed arrays are on
 * every machine that Node runs on. Decoders throw SNAPSHOT_CORRUPT.
 */
import { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import { ROW_STATES } from '@freshet/records/score-batch.ts'
import type { StoredRows } from '@freshet/records/stored-rows.ts'

export function encodeKeys({ count, keys, keyOffsets }: StoredRows): Uint8Array {
  const bytes = new Uint8Array(4 * count + keyOffsets[count]! - keyOffsets[0]!)
  let at = 0
  for (let row = 0; row < count; row++) {
    const from = keyOffsets[row]!
    const length = keyOffsets[row + 1]! - from
    at = writeLength(bytes, at, length)
    for (let i = 0; i < length; i++) bytes[at + i] = keys[from + i]!
    at += length
  }
  return bytes
}

export function decodeKeys(bytes: Uint8Array, count: number): { keys: Uint8Array; keyOffsets: Uint32Array } {
  const keys = new Uint8Array(bytes.length - 4 * count)
  const keyOffsets = new Uint32Array(count + 1)
  let from = 0
  let to = 0
  for (let row = 0; row < count; row++) {
    const length = readLength(bytes, from)
    from += 4
    if (from + length > bytes.length) throw corrupt('a key is cut off')
    for (let i = 0; i < length; i++) keys[to + i] = bytes[from + i]!
    from += length
    keyOffsets[row + 1] = to += length
  }
  if (from !== bytes.length) throw corrupt('there are more keys than rows')
  return { keys, keyOffsets }
}

/** Whole numbers from 0 to 2^53. */
export function encodeInt64(values: Float64Array, count: number): Uint8Array {
  const words = new Uint32Array(2 * count)
  for (let row = 0; row < count; row++) {
    const value = values[row]!
    words[2 * row] = value // modulo 2^32
    words[2 * row + 1] = Math.floor(value / 2 ** 32)
  }
  return new Uint8Array(words.buffer)
}

/** @param limit what all numbers are below: one that a rank or a date has no place for must not get past here */
export function decodeInt64(bytes: Uint8Array, count: number, limit = 2 ** 53): Float64Array {
  const words = new Uint32Array(aligned(bytes, 8 * count))
  const values = new Float64Array(count)
  for (let row = 0; row < count; row++) {
    const value = words[2 * row + 1]! * 2 ** 32 + words[2 * row]!
    if (value >= limit) throw corrupt('a number out of range')
    values[row] = value
  }
  return values
}

export function decodeUint32(bytes: Uint8Array, count: number): Uint32Array {
  return new Uint32Array(aligned(bytes, 4 * count))
}

export function decodeDoubles(bytes: Uint8Array, count: number): Float64Array {
  return new Float64Array(aligned(bytes, 8 * count))
}

/** States are words, for those who read the file with other tools; after compression they cost next to nothing. */
const STATE_BYTES = ROW_STATES.map((state) => Buffer.from(state))

export function encodeStates(states: Uint8Array, count: number): Uint8Array {
  let length = 0
  for (let row = 0; row < count; row++) length += 4 + STATE_BYTES[states[row]!]!.length
  const bytes = new Uint8Array(length)
  let at = 0
  for (let row = 0; row < count; row++) {
    const state = STATE_BYTES[states[row]!]!
    at = writeLength(bytes, at, state.length)
    bytes.set(state, at)
    at += state.length
  }
  return bytes
}

/** The words differ in their first letter. */
export function decodeStates(bytes: Uint8Array, count: number): Uint8Array {
  const states = new Uint8Array(count)
  let at = 0
  for (let row = 0; row < count; row++) {
    const state = STATE_BYTES.findIndex((word) => word[0] === bytes[at + 4])
    if (state === -1 || readLength(bytes, at) !== STATE_BYTES[state]!.length)
      throw corrupt('a state that this build does not know')
    states[row] = state
    at += 4 + STATE_BYTES[state]!.length
  }
  if (at !== bytes.length) throw corrupt('there are more states than rows, or fewer')
  return states
}

/** Where typed arrays may look at it: in its place, if that is on a boundary and all of its memory, else a copy. */
function aligned(bytes: Uint8Array, length: number): ArrayBuffer {
  if (bytes.length !== length) throw corrupt(`a page of ${bytes.length} bytes, not ${length}`)
  if (bytes.byteOffset === 0 && bytes.buffer.byteLength === length) return bytes.buffer as ArrayBuffer
  const copy = new Uint8Array(length)
  copy.set(bytes)
  return copy.buffer
}

function writeLength(bytes: Uint8Array, at: number, length: number): number {
  bytes[at] = length
  bytes[at + 1] = length >>> 8
  bytes[at + 2] = length >>> 16
  bytes[at + 3] = length >>> 24
  return at + 4
}

function readLength(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

function corrupt(what: string): FreshetError {
  return new FreshetError('SNAPSHOT_CORRUPT', `a snapshot page that cannot be read: ${what}`)
}
