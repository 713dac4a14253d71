import { setImmediate as nextTurn } from 'node:timers/promises'
import { FreshetError } from '@freshet/errors/errors.ts'
import { mergeSorted, type SortedSource } from './merge.ts'
import { type FileFacts, PAGE_ROWS, SnapshotWriter } from './parquet/write.ts'
import { EMPTY_SCHEMA, uniteSchemas } from './unite-schemas.ts'

/** Takes the bytes of a file in their order, a row group (3 MB or so) at a time; the next ones come when it resolves. */
export type FileOut = (bytes: Uint8Array) => Promise<void>

interface MergeOptions {
  readonly signal?: AbortSignal | undefined
  readonly pause?: (() => Promise<void>) | undefined
  readonly dropBeforeMs?: number | undefined
}

/**
 * One snapshot file of all sources: sorted batches become a delta, a base and its deltas a new base. The event loop is
 * held for a page (some 4,096 rows, about 10 ms) at a time. In memory: a row group of each source and one of the file.
 * @param options `pause`: called after each page, lets others have their turn; `dropBeforeMs`: tombstones that were
 * scored before this are let go
 * @throws DEADLINE when `signal` aborts
 */
export async function writeMerged(
  sources: readonly SortedSource[],
  out: FileOut,
  { signal, pause = nextTurn, dropBeforeMs }: MergeOptions = {},
): Promise<FileFacts> {
  const schema = sources.map((source) => source.schema).reduce(uniteSchemas, EMPTY_SCHEMA)
  const writer = new SnapshotWriter(schema)
  for await (const page of mergeSorted(sources, schema, { pageRows: PAGE_ROWS, dropBeforeMs })) {
    writer.add(page)
    const ready = writer.take()
    if (ready.length > 0) await out(ready)
    await pause()
    if (signal?.aborted) throw new FreshetError('DEADLINE', 'the merge was given up')
  }
  const facts = writer.finish()
  await out(writer.take())
  return facts
}
