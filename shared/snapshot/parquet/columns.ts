/**
 * The columns of a snapshot file and how each becomes bytes. Everything is REQUIRED and PLAIN; numbers are
 * little-endian, as typed arrays are on every machine that Node runs on.
 */
import { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import { ROW_STATES } from '@freshet/records/score-batch.ts'
import type { SchemaElement } from 'hyparquet'
import { keyBytes } from '../keys.ts'
import type { SnapshotRows, SnapshotSchema } from '../rows.ts'

const TEXT = { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } } as const
const INT64 = { type: 'INT64' } as const
// No logical type: hyparquet-writer encodes its width as an i32, which pyarrow and DuckDB refuse.
const UINT32 = { type: 'INT32', converted_type: 'UINT_32' } as const
// Both types: with the first alone DuckDB sees a time without a zone.
const TIMESTAMP = {
  type: 'INT64',
  converted_type: 'TIMESTAMP_MILLIS',
  logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
} as const

const FIXED = {
  key: TEXT,
  document_version: INT64,
  epoch: INT64,
  primary_term: UINT32,
  seq_no: INT64,
  model_generation: UINT32,
  as_of: TIMESTAMP,
  scored_at: TIMESTAMP,
  state: TEXT,
} as const

/** The root and then the columns of a file, in order: the fixed ones, then one double an output. */
export function schemaElements(outputs: readonly string[]): SchemaElement[] {
  const columns: SchemaElement[] = [
    ...Object.entries(FIXED).map(([name, type]) => ({ name, repetition_type: 'REQUIRED' as const, ...type })),
    ...outputs.map((output) => ({
      name: outputColumn(output),
      repetition_type: 'REQUIRED' as const,
      type: 'DOUBLE' as const,
    })),
  ]
  return [{ name: 'snapshot', num_children: columns.length }, ...columns]
}

/** An output has a column of its own name, unless that is taken: `key` becomes `output_key`. */
export function outputColumn(output: string): string {
  return output.toLowerCase() in FIXED || output.startsWith('output_') ? `output_${output}` : output
}

/** A page of one column, and its lowest and highest value where those help a reader to skip it. */
export interface EncodedColumn {
  readonly plain: Uint8Array
  readonly bounds?: Bounds | undefined
}

type Bounds =
  | { readonly kind: 'bytes'; readonly min: Uint8Array; readonly max: Uint8Array }
  | { readonly kind: 'numbers'; readonly min: number; readonly max: number }

/** @param rows one or more, in the order of their keys. @returns the columns in the order of `schemaElements` */
export function encodePage(rows: SnapshotRows): EncodedColumn[] {
  const { count } = rows
  const int64 = (values: Float64Array) => ({
    plain: encodeInt64(values, count),
    bounds: boundsOf(values, count),
  })
  const asTheyAre = (values: Uint32Array | Float64Array) => ({
    plain: new Uint8Array(values.buffer, values.byteOffset, count * values.BYTES_PER_ELEMENT),
    bounds: boundsOf(values, count),
  })
  return [
    {
      plain: encodeKeys(rows),
      bounds: { kind: 'bytes', min: keyBytes(rows, 0), max: keyBytes(rows, count - 1) },
    },
    int64(rows.documentVersions),
    int64(rows.epochs),
    asTheyAre(rows.primaryTerms),
    int64(rows.seqNos),
    asTheyAre(rows.modelGenerations),
    int64(rows.asOfMs),
    int64(rows.scoredAtMs),
    { plain: encodeStates(rows.states, count) },
    ...rows.outputs.map(asTheyAre),
  ]
}

/** @throws SNAPSHOT_CORRUPT */
export function decodePage(
  schema: SnapshotSchema,
  count: number,
  columns: readonly Uint8Array[],
): SnapshotRows {
  const [keys, documentVersions, epochs, primaryTerms, seqNos, generations, asOfMs, scoredAtMs, states] =
    columns as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ]
  return {
    count,
    schema,
    ...decodeKeys(keys, count),
    documentVersions: decodeInt64(documentVersions, count),
    epochs: decodeInt64(epochs, count),
    primaryTerms: decodeUint32(primaryTerms, count),
    seqNos: decodeInt64(seqNos, count),
    modelGenerations: decodeUint32(generations, count),
    asOfMs: decodeInt64(asOfMs, count),
    scoredAtMs: decodeInt64(scoredAtMs, count),
    states: decodeStates(states, count),
    outputs: columns.slice(Object.keys(FIXED).length).map((column) => decodeDoubles(column, count)),
  }
}

function encodeKeys({ count, keys, keyOffsets }: SnapshotRows): Uint8Array {
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

function decodeKeys(bytes: Uint8Array, count: number): { keys: Uint8Array; keyOffsets: Uint32Array } {
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
  return { keys, keyOffsets }
}

/** Whole numbers from 0 to 2^53. */
function encodeInt64(values: Float64Array, count: number): Uint8Array {
  const words = new Uint32Array(2 * count)
  for (let row = 0; row < count; row++) {
    const value = values[row]!
    words[2 * row] = value // modulo 2^32
    words[2 * row + 1] = Math.floor(value / 2 ** 32)
  }
  return new Uint8Array(words.buffer)
}

function decodeInt64(bytes: Uint8Array, count: number): Float64Array {
  const words = new Uint32Array(aligned(bytes, 8 * count))
  const values = new Float64Array(count)
  for (let row = 0; row < count; row++) values[row] = words[2 * row + 1]! * 2 ** 32 + words[2 * row]!
  return values
}

function decodeUint32(bytes: Uint8Array, count: number): Uint32Array {
  return new Uint32Array(aligned(bytes, 4 * count))
}

function decodeDoubles(bytes: Uint8Array, count: number): Float64Array {
  return new Float64Array(aligned(bytes, 8 * count))
}

/** States are words, for those who read the file with other tools; after compression they cost next to nothing. */
const STATE_BYTES = ROW_STATES.map((state) => Buffer.from(state))

function encodeStates(states: Uint8Array, count: number): Uint8Array {
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
function decodeStates(bytes: Uint8Array, count: number): Uint8Array {
  const states = new Uint8Array(count)
  let at = 0
  for (let row = 0; row < count; row++) {
    const state = STATE_BYTES.findIndex((word) => word[0] === bytes[at + 4])
    if (state === -1 || readLength(bytes, at) !== STATE_BYTES[state]!.length)
      throw corrupt('a state that this build does not know')
    states[row] = state
    at += 4 + STATE_BYTES[state]!.length
  }
  return states
}

/** undefined when there is no number among them. */
function boundsOf(values: Uint32Array | Float64Array, count: number): Bounds | undefined {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (let row = 0; row < count; row++) {
    const value = values[row]!
    if (value < min) min = value
    if (value > max) max = value
  }
  return min <= max ? { kind: 'numbers', min, max } : undefined
}

/** A copy of its own, so that typed arrays may look at it. */
function aligned(bytes: Uint8Array, length: number): ArrayBuffer {
  if (bytes.length !== length) throw corrupt(`a page of ${bytes.length} bytes, not ${length}`)
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
