/** The columns that every snapshot file has, in their order. After them comes one for each output of the model. */
export const SNAPSHOT_COLUMNS = [
  'key',
  'document_version',
  'epoch',
  'primary_term',
  'seq_no',
  'model_generation',
  'as_of',
  'scored_at',
  'state',
] as const

export type SnapshotColumn = (typeof SNAPSHOT_COLUMNS)[number]

/** Whether an output of this name would collide, in any case of letters: readers such as DuckDB do not tell cases apart. */
export function isSnapshotColumn(name: string): boolean {
  return SNAPSHOT_COLUMNS.some((column) => column === name.toLowerCase())
}
