import type { ScoreBatch } from './score-batch.ts'

/**
 * Rows as stores take them, column by column: what a batch of scores becomes, what a page of a snapshot holds. Typed
 * arrays have `count` entries or more (the rest is spare room), `keyOffsets` one more.
 */
export interface StoredRows {
  readonly count: number
  /** What the columns speak of; the same for all rows. */
  readonly schema: RowsSchema
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

export interface RowsSchema {
  /** Every output of every model that scored one of the rows. */
  readonly outputs: readonly string[]
  /** By model generation. */
  readonly models: ReadonlyMap<number, RowsModel>
}

export interface RowsModel {
  readonly name: string
  readonly version: string
  readonly outputs: readonly string[]
}

/** The rows of one micro-batch, in its order; shares its memory. */
export function rowsOfBatch({ header, rows }: ScoreBatch): StoredRows {
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
