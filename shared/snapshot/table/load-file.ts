import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { SnapshotFile } from '@freshet/records/manifest.ts'
import { objectKey } from '../manifest.ts'
import { type GroupDecoder, openSnapshotFile } from '../parquet/read.ts'
import type { SnapshotTable } from './snapshot-table.ts'

/** Some 0.2 to 0.3 ms of work. */
const STEP_ROWS = 256

/**
 * Applies all rows of a file to a table. The event loop is held for little more than a millisecond at a time.
 * @throws SNAPSHOT_FILE_MISSING, SNAPSHOT_CORRUPT, RECORD_VERSION, and what the store throws
 */
export async function loadFile(
  store: ObjectStore,
  { object, bytes }: SnapshotFile,
  table: SnapshotTable,
  decoder: GroupDecoder,
  signal: AbortSignal,
): Promise<number> {
  let rows = 0
  const { pages } = await openSnapshotFile(store, { key: objectKey(object), bytes }, { decoder, signal })
  for await (const page of pages) {
    for (let row = 0; row < page.count; row += STEP_ROWS) {
      table.apply(page, row, Math.min(row + STEP_ROWS, page.count))
      const pause = decoder.slice.pause()
      if (pause !== undefined) await pause
    }
    rows += page.count
  }
  return rows
}
