/** The columns of a snapshot file, and how a page of rows becomes bytes. Everything is REQUIRED and PLAIN. */
import { FreshetError } from '@freshet/errors/errors.ts'
import { MOMENTS_END_MS } from '@freshet/records/moment.ts'
import { SNAPSHOT_COLUMNS, type SnapshotColumn } from '@freshet/records/snapshot-columns.ts'
import type { RowsSchema, StoredRows } from '@freshet/records/stored-rows.ts'
import type { SchemaElement } from 'hyparquet'
import { keyBytes } from '../keys.ts'
import {
  decodeDoubles,
  decodeInt64,
  decodeKeys,
  decodeStates,
  decodeUint32,
  encodeInt64,
  encodeKeys,
  encodeStates,
} from './plain.ts'

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

const TYPES = {
  key: TEXT,
  document_version: INT64,
  epoch: INT64,
  primary_term: UINT32,
  seq_no: INT64,
  model_generation: UINT32,
  as_of: TIMESTAMP,
  scored_at: TIMESTAMP,
  state: TEXT,
} as const satisfies Record<SnapshotColumn, Omit<SchemaElement, 'name'>>

/**
 * The root and then the columns of a file, in order: the fixed ones, then one double an output, under its own name,
 * which a model's spec keeps apart from the fixed ones.
 */
export function schemaElements(outputs: readonly string[]): SchemaElement[] {
  const columns: SchemaElement[] = [
    ...SNAPSHOT_COLUMNS.map((name) => ({ name, repetition_type: 'REQUIRED' as const, ...TYPES[name] })),
    ...outputs.map((name) => ({ name, repetition_type: 'REQUIRED' as const, type: 'DOUBLE' as const })),
  ]
  return [{ name: 'snapshot', num_children: columns.length }, ...columns]
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
export function encodePage(rows: StoredRows): EncodedColumn[] {
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

/** @throws SNAPSHOT_CORRUPT, also for a row of a model that the schema does not name: nobody could say what its scores are */
export function decodePage(schema: RowsSchema, count: number, columns: readonly Uint8Array[]): StoredRows {
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
    epochs: decodeInt64(epochs, count, 2 ** 48),
    primaryTerms: decodeUint32(primaryTerms, count),
    seqNos: decodeInt64(seqNos, count),
    modelGenerations: named(decodeUint32(generations, count), schema),
    asOfMs: decodeInt64(asOfMs, count, MOMENTS_END_MS),
    scoredAtMs: decodeInt64(scoredAtMs, count, MOMENTS_END_MS),
    states: decodeStates(states, count),
    outputs: columns.slice(SNAPSHOT_COLUMNS.length).map((column) => decodeDoubles(column, count)),
  }
}

function named(generations: Uint32Array, { models }: RowsSchema): Uint32Array {
  let last: number | undefined
  for (const generation of generations) {
    if (generation === last) continue
    if (!models.has(generation))
      throw new FreshetError('SNAPSHOT_CORRUPT', `rows of model generation ${generation}, which is not named`)
    last = generation
  }
  return generations
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
