import { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { TimeSlice } from '@freshet/stage/time-slice.ts'
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js'
import { type GroupLayout, type Range, rangeWithin, readLayout } from '../parquet/layout.ts'
import { type FileAddress, guard, openSource, type Source } from '../parquet/source.ts'
import { checkStruct } from '../parquet/thrift-bounds.ts'
import { FileIndex, type IndexedPage } from './file-index.ts'

/**
 * Reads footer and page index: one request for a file below 512 KiB or of few pages, else two. The event loop is held for
 * little more than a millisecond at a time.
 * @throws SNAPSHOT_FILE_MISSING, SNAPSHOT_CORRUPT, RECORD_VERSION, and what the store throws
 */
export async function openFileIndex(
  store: ObjectStore,
  file: FileAddress,
  signal: AbortSignal,
): Promise<FileIndex> {
  const slice = new TimeSlice()
  const source = await openSource(store, file, signal)
  const { groups, schema } = await readLayout(source, slice)
  const region = await readIndexRegion(source, groups)
  const pages: IndexedPage[] = []
  let above: Buffer = Buffer.alloc(0)
  for (const group of groups) {
    const next = guard(file, () => pagesOf(group, region, { file, above }))
    pages.push(...next.pages)
    above = next.above
    const pause = slice.pause()
    if (pause !== undefined) await pause
  }
  return new FileIndex(file, schema, pages)
}

interface Region {
  readonly from: number
  readonly bytes: Buffer
}

/** All indexes lie together, before the footer. */
async function readIndexRegion(source: Source, groups: readonly GroupLayout[]): Promise<Region> {
  let from = Number.POSITIVE_INFINITY
  let to = 0
  for (const { chunks } of groups)
    for (const { offsetIndex, columnIndex } of chunks)
      for (const index of [offsetIndex, columnIndex]) {
        from = Math.min(from, index?.from ?? from)
        to = Math.max(to, index?.to ?? to)
      }
  return to === 0 ? { from: 0, bytes: Buffer.alloc(0) } : { from, bytes: await source.read(from, to) }
}

/** @param where `above`: a bound above all keys before. @returns the group's pages, and such a bound for the next group */
function pagesOf(
  { chunks }: GroupLayout,
  region: Region,
  { file, above }: { readonly file: FileAddress; readonly above: Buffer },
): { pages: IndexedPage[]; above: Buffer } {
  const ranges = chunks.map((chunk) =>
    chunk.offsetIndex === undefined ? [chunk] : pageRanges(thriftAt(region, chunk.offsetIndex), file.bytes),
  )
  const count = ranges[0]!.length
  if (ranges.some(({ length }) => length !== count))
    throw new FreshetError('SNAPSHOT_CORRUPT', 'its columns do not have the same pages')
  const index = chunks[0]!.columnIndex
  // Where a group is one page, nothing says what is in it: it may hold whatever comes after the page before.
  const bounds = index === undefined ? undefined : thriftAt(region, index)
  const firstKeys: Uint8Array[] = bounds?.field_2 ?? [above]
  const lastKey: Uint8Array | undefined = bounds?.field_3.at(-1)
  if (firstKeys.length !== count)
    throw new FreshetError('SNAPSHOT_CORRUPT', 'its column index has other pages than its offset index')
  return {
    pages: firstKeys.map((firstKey, page) => ({
      firstKey: Buffer.from(firstKey),
      isBound: bounds === undefined,
      ranges: ranges.map((ofColumn) => ofColumn[page]!),
    })),
    above: lastKey === undefined ? above : Buffer.concat([lastKey, Buffer.of(0)]),
  }
}

function thriftAt({ from, bytes }: Region, index: Range): ReturnType<typeof deserializeTCompactProtocol> {
  const view = new DataView(bytes.buffer, bytes.byteOffset + index.from - from, index.to - index.from)
  checkStruct({ view, offset: 0 })
  return deserializeTCompactProtocol({ view, offset: 0 })
}

/** `PageLocation`: offset, compressed size with the header, first row. */
function pageRanges(offsetIndex: ReturnType<typeof deserializeTCompactProtocol>, fileBytes: number): Range[] {
  return offsetIndex.field_1.map(({ field_1, field_2 }: { field_1: bigint; field_2: number }) => {
    const range = rangeWithin(fileBytes, field_1, field_2)
    if (range !== undefined) return range
    throw new FreshetError('SNAPSHOT_CORRUPT', 'a page of which nothing says where it is')
  })
}
