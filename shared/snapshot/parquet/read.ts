import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { SNAPSHOT_COLUMNS } from '@freshet/records/snapshot-columns.ts'
import type { RowsSchema, StoredRows } from '@freshet/records/stored-rows.ts'
import { TimeSlice } from '@freshet/stage/time-slice.ts'
import { decodeGroup } from './decode-group.ts'
import { type GroupLayout, readLayout } from './layout.ts'
import { type FileAddress, openSource, type Source } from './source.ts'

export interface SnapshotFileReader {
  readonly schema: RowsSchema
  /**
   * All rows in the order of their keys, page by page (at most 4,096 rows); one row group of about 3 MB is held at a time.
   * @throws SNAPSHOT_FILE_MISSING, SNAPSHOT_CORRUPT, and what the store throws
   */
  readonly pages: AsyncIterable<StoredRows>
}

export interface ReadOptions {
  /** `ranks`: without the outputs, which are neither fetched nor decoded. */
  readonly columns?: 'all' | 'ranks'
  readonly signal?: AbortSignal
}

/**
 * Opens a file that SnapshotWriter wrote. The event loop is held for some 2 ms at a time.
 * @throws SNAPSHOT_FILE_MISSING, SNAPSHOT_CORRUPT, RECORD_VERSION
 */
export async function openSnapshotFile(
  store: ObjectStore,
  file: FileAddress,
  { columns = 'all', signal }: ReadOptions = {},
): Promise<SnapshotFileReader> {
  const source = await openSource(store, file, signal)
  const slice = new TimeSlice()
  const layout = await readLayout(source, slice)
  const schema = columns === 'all' ? layout.schema : { ...layout.schema, outputs: [] }
  return { schema, pages: readPages(source, layout.groups, schema, slice) }
}

async function* readPages(
  source: Source,
  groups: readonly GroupLayout[],
  schema: RowsSchema,
  slice: TimeSlice,
): AsyncGenerator<StoredRows> {
  for (const { rows, chunks: all } of groups) {
    const chunks = all.slice(0, SNAPSHOT_COLUMNS.length + schema.outputs.length)
    const base = chunks[0]!.from
    const bytes = await source.read(base, chunks.at(-1)!.to)
    const inBytes = chunks.map(({ from, to }) => ({ from: from - base, to: to - base }))
    yield* decodeGroup({ file: source.file, bytes, chunks: inBytes, rows, schema }, slice)
  }
}
