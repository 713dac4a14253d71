import { setImmediate as nextTurn } from 'node:timers/promises'
import { FreshetError } from '@freshet/errors/errors.ts'
import { mergeSorted, type SortedSource } from './merge.ts'
import { PAGE_ROWS, SnapshotWriter, type WrittenFile } from './parquet/write.ts'
import { EMPTY_SCHEMA, uniteSchemas } from './rows.ts'

/**
 * One snapshot file of all sources: sorted batches become a delta, a base and its deltas a new base. The event loop is
 * held for a page (some 4,096 rows, about 10 ms) at a time. In memory: a row group of each source and the new file.
 * @throws DEADLINE when `signal` aborts
 */
export async function writeMerged(
  sources: readonly SortedSource[],
  signal?: AbortSignal,
): Promise<WrittenFile> {
  const schema = sources.map((source) => source.schema).reduce(uniteSchemas, EMPTY_SCHEMA)
  const writer = new SnapshotWriter(schema)
  for await (const page of mergeSorted(sources, schema, PAGE_ROWS)) {
    writer.add(page)
    await nextTurn()
    if (signal?.aborted) throw new FreshetError('DEADLINE', 'the merge was given up')
  }
  return writer.finish()
}
