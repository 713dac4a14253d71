import type { ScoreBatch } from '@freshet/records/score-batch.ts'

/**
 * Rows of a snapshot as columns: what a batch of scores becomes, what a page of a Parquet file holds, what the table in
 * memory takes. Typed arrays have `count` entries or more (the rest is spare room), `keyOffsets` one more.
 */
export interface SnapshotRows {
  readonly count: number
  /** What the columns speak of; the same for all rows of a file. */
  readonly schema: SnapshotSchema
  /** UTF-8 of all keys; key i is `keys[keyOffsets[i] .. keyOffsets[i + 1]]`. */
  readonly keys: Uint8Array
  readonly keyOffsets: Uint32Array
  readonly documentVersions: Float64Array
  readonly epochs: Float64Array
  readonly primaryTerms: Uint32Array
  readonly seqNos: Float64Array
  readonly modelGenerations: Uint32Array
  /** Wall-clock milliseconds, both. */
  readonly asOfMs: Float64Array
  readonly scoredAtMs: Float64Array
  /** Index into ROW_STATES. */
  readonly states: Uint8Array
  /** In the order of `schema.outputs`; NaN where the row's model has no such output or gave no score. */
  readonly outputs: readonly Float64Array[]
}

export interface SnapshotSchema {
  /** Every output of every model that scored one of the rows. */
  readonly outputs: readonly string[]
  /** By model generation. */
  readonly models: ReadonlyMap<number, SnapshotModel>
}

export interface SnapshotModel {
  readonly name: string
  readonly version: string
  readonly outputs: readonly string[]
}

/** The rows of one micro-batch, in its order; shares its memory. */
export function rowsOfBatch({ header, rows }: ScoreBatch): SnapshotRows {
  const { name, version, generation } = header.model
  return {
    ...rows,
    schema: {
      outputs: header.outputs,
      models: new Map([[generation, { name, version, outputs: header.outputs }]]),
    },
    modelGenerations: new Uint32Array(rows.count).fill(generation),
    scoredAtMs: new Float64Array(rows.count).fill(header.scoredAtMs),
  }
}

/** What holds for every output that one of the two has, and every model. */
export function uniteSchemas(a: SnapshotSchema, b: SnapshotSchema): SnapshotSchema {
  return {
    outputs: [...new Set([...a.outputs, ...b.outputs])],
    models: new Map([...b.models, ...a.models]),
  }
}

export const EMPTY_SCHEMA: SnapshotSchema = { outputs: [], models: new Map() }
