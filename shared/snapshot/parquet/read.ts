import type { Buffer } from 'node:buffer'
import { zstdDecompressSync } from 'node:zlib'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { SNAPSHOT_COLUMNS } from '@freshet/records/snapshot-columns.ts'
import type { RowsSchema, StoredRows } from '@freshet/records/stored-rows.ts'
import { parquetHeader } from 'hyparquet/src/column.js'
import { TimeSlice } from '../time-slice.ts'
import { decodePage } from './columns.ts'
import { type GroupLayout, readLayout } from './layout.ts'
import { type FileAddress, guard, openSource, type Source } from './source.ts'

export interface SnapshotFileReader {
  readonly schema: RowsSchema
  /**
   * All rows in the order of their keys, page by page (at most 4,096 rows, about 2 ms each); one row group of about
   * 3 MB is held at a time. @throws SNAPSHOT_FILE_MISSING, SNAPSHOT_CORRUPT, and what the store throws
   */
  readonly pages: AsyncIterable<StoredRows>
}

/**
 * Opens a file that SnapshotWriter wrote. The event loop is held for some 2 ms at a time.
 * @param what `ranks`: without the outputs, which are neither fetched nor decoded
 * @param slice of whoever does other work with the pages, on the same loop
 * @throws SNAPSHOT_FILE_MISSING, SNAPSHOT_CORRUPT, RECORD_VERSION
 */
export async function openSnapshotFile(
  store: ObjectStore,
  file: FileAddress,
  signal?: AbortSignal,
  what: 'all' | 'ranks' = 'all',
  slice = new TimeSlice(),
): Promise<SnapshotFileReader> {
  const source = await openSource(store, file, signal)
  const layout = await readLayout(source, slice)
  const schema = what === 'all' ? layout.schema : { ...layout.schema, outputs: [] }
  return { schema, pages: readPages(source, layout.groups, schema, slice) }
}

async function* readPages(
  source: Source,
  groups: readonly GroupLayout[],
  schema: RowsSchema,
  slice: TimeSlice,
): AsyncGenerator<StoredRows> {
  for (const group of groups) {
    const chunks = group.chunks.slice(0, SNAPSHOT_COLUMNS.length + schema.outputs.length)
    const from = chunks[0]!.from
    const bytes = await source.read(from, chunks.at(-1)!.to)
    const columns = chunks.map((chunk) => new ChunkReader(bytes.subarray(chunk.from - from, chunk.to - from)))
    for (let left = group.rows; left > 0; ) {
      const page = await nextPage(source.file, columns, schema, slice)
      left -= page.count
      yield page
    }
  }
}

/** The same page of every column: they hold the same rows. */
async function nextPage(
  file: FileAddress,
  columns: readonly ChunkReader[],
  schema: RowsSchema,
  slice: TimeSlice,
): Promise<StoredRows> {
  const pages: Page[] = []
  for (const column of columns) {
    pages.push(guard(file, () => column.next()))
    const pause = slice.pause()
    if (pause !== undefined) await pause
  }
  const rows = pages[0]!.rows
  if (rows === 0 || pages.some((page) => page.rows !== rows))
    throw new FreshetError(
      'SNAPSHOT_CORRUPT',
      `${file.key}: the pages of its columns do not hold the same rows`,
    )
  const plain = pages.map(({ plain }) => plain)
  return guard(file, () => decodePage(schema, rows, plain))
}

class ChunkReader {
  readonly #bytes: Buffer
  readonly #reader: { view: DataView; offset: number }

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#reader = readerOf(bytes)
  }

  next(): Page {
    return readPage(this.#bytes, this.#reader)
  }
}

export interface Page {
  readonly rows: number
  /** PLAIN, of one column. */
  readonly plain: Uint8Array
}

/** Reads the page at `reader`, and leaves it at the next. @throws whatever is wrong with it */
export function readPage(bytes: Buffer, reader = readerOf(bytes)): Page {
  const header = parquetHeader(reader)
  const from = reader.offset
  const page = header.data_page_header_v2
  if (page === undefined || page.encoding !== 'PLAIN')
    throw new FreshetError(
      'SNAPSHOT_CORRUPT',
      `a page of type ${header.type} that SnapshotWriter does not write`,
    )
  reader.offset += header.compressed_page_size
  const compressed = bytes.subarray(from, reader.offset)
  return {
    rows: page.num_rows,
    plain: zstdDecompressSync(compressed, { maxOutputLength: Math.max(1, header.uncompressed_page_size) }),
  }
}

function readerOf(bytes: Buffer): { view: DataView; offset: number } {
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: 0 }
}
