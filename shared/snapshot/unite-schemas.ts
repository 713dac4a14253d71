import type { RowsSchema } from '@freshet/records/stored-rows.ts'

/** What holds for every output that one of the two has, and every model. */
export function uniteSchemas(a: RowsSchema, b: RowsSchema): RowsSchema {
  return {
    outputs: [...new Set([...a.outputs, ...b.outputs])],
    models: new Map([...b.models, ...a.models]),
  }
}

export const EMPTY_SCHEMA: RowsSchema = { outputs: [], models: new Map() }
