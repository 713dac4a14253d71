import { setImmediate as nextTurn } from 'node:timers/promises'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { Manifest } from '@freshet/records/manifest.ts'
import type { StoredRows } from '@freshet/records/stored-rows.ts'
import { filesOf, objectKey } from '@freshet/snapshot/manifest.ts'
import { mergeSorted, type SortedSource } from '@freshet/snapshot/merge.ts'
import { openSnapshotFile } from '@freshet/snapshot/parquet/read.ts'
import { PAGE_ROWS } from '@freshet/snapshot/parquet/write.ts'
import { EMPTY_SCHEMA, uniteSchemas } from '@freshet/snapshot/unite-schemas.ts'

/**
 * Every row of a snapshot that counts: of each key the one of highest rank, tombstones too, without outputs. Partition
 * after partition, in the order of their keys, in pages that are the reader's until the next is asked for. A row group
 * of each file of one partition is held (some MB), and the event loop for one page at a time (about 2 ms).
 * @throws SNAPSHOT_FILE_MISSING when merges have taken away files of the manifest: read it anew. DEADLINE when `signal` aborts,
 *   SNAPSHOT_CORRUPT, and what the store throws
 */
export async function* heldRows(
  store: ObjectStore,
  { partitions }: Manifest,
  signal: AbortSignal,
): AsyncGenerator<StoredRows> {
  for (const partition of Object.values(partitions)) {
    const sources: SortedSource[] = []
    for (const { object, bytes } of filesOf(partition))
      sources.push(
        await openSnapshotFile(store, { key: objectKey(object), bytes }, { columns: 'ranks', signal }),
      )
    const schema = sources.map((source) => source.schema).reduce(uniteSchemas, EMPTY_SCHEMA)
    for await (const page of mergeSorted(sources, schema, { pageRows: PAGE_ROWS })) {
      yield page
      await nextTurn()
      if (signal.aborted) throw new FreshetError('DEADLINE', 'the reading of the snapshot was given up')
    }
  }
}
