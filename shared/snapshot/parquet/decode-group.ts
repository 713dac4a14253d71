import type { Buffer } from 'node:buffer'
import { zstdDecompressSync } from 'node:zlib'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { RowsSchema, StoredRows } from '@freshet/records/stored-rows.ts'
import { parquetHeader } from 'hyparquet/src/column.js'
import type { TimeSlice } from '../time-slice.ts'
import { decodePage } from './columns.ts'
import type { Range } from './layout.ts'
import { type FileAddress, guard } from './source.ts'

/** A row group as it lies in the file. */
export interface EncodedGroup {
  readonly file: FileAddress
  readonly bytes: Buffer
  /** Where the columns lie in `bytes`. */
  readonly chunks: readonly Range[]
  readonly rows: number
  readonly schema: RowsSchema
}

/** @throws SNAPSHOT_CORRUPT */
export async function* decodeGroup(
  { file, bytes, chunks, rows, schema }: EncodedGroup,
  slice: TimeSlice,
): AsyncGenerator<StoredRows> {
  const columns = chunks.map(({ from, to }) => new ChunkReader(bytes.subarray(from, to)))
  for (let left = rows; left > 0; ) {
    const page = await nextPage(file, columns, schema, slice)
    left -= page.count
    yield page
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
  const length = header.uncompressed_page_size
  // In one chunk: otherwise it is collected in small ones and copied together, which is twice the work for the GC.
  const chunkSize = Math.max(MIN_CHUNK_BYTES, length)
  return {
    rows: page.num_rows,
    plain: zstdDecompressSync(compressed, { chunkSize, maxOutputLength: Math.max(1, length) }),
  }
}

const MIN_CHUNK_BYTES = 64 // zlib wants as much

function readerOf(bytes: Buffer): { view: DataView; offset: number } {
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: 0 }
}
