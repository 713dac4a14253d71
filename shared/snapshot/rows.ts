import type { RowsModel, RowsSchema, StoredRows } from '@freshet/records/stored-rows.ts'

export { rowsOfBatch } from '@freshet/records/stored-rows.ts'

/** Rows as a page of a Parquet file holds them and the table in memory takes them. */
export type SnapshotRows = StoredRows
export type SnapshotSchema = RowsSchema
export type SnapshotModel = RowsModel

/** What holds for every output that one of the two has, and every model. */
export function uniteSchemas(a: SnapshotSchema, b: SnapshotSchema): SnapshotSchema {
  return {
    outputs: [...new Set([...a.outputs, ...b.outputs])],
    models: new Map([...b.models, ...a.models]),
  }
}

export const EMPTY_SCHEMA: SnapshotSchema = { outputs: [], models: new Map() }
