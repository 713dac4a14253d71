import type { Buffer } from 'node:buffer'
import { zstdDecompressSync } from 'node:zlib'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { RowsSchema, StoredRows } from '@freshet/records/stored-rows.ts'
import type { TimeSlice } from '@freshet/stage/time-slice.ts'
import { parquetHeader } from 'hyparquet/src/column.js'
import { decodePage } from './columns.ts'
import type { Range } from './layout.ts'
import { type FileAddress, guard } from './source.ts'
import { checkStruct } from './thrift-bounds.ts'

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
    if (left < 0)
      throw new FreshetError('SNAPSHOT_CORRUPT', `${file.key}: its pages have more rows than their group`)
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
  checkStruct(reader)
  const header = parquetHeader(reader)
  const from = reader.offset
  const page = header.data_page_header_v2
  if (page === undefined || page.encoding !== 'PLAIN')
    throw new FreshetError(
      'SNAPSHOT_CORRUPT',
      `a page of type ${header.type} that SnapshotWriter does not write`,
    )
  const { compressed_page_size: compressedBytes, uncompressed_page_size: length } = header
  if (compressedBytes < 0 || compressedBytes > bytes.length - from || length < 0 || length > MAX_PAGE_BYTES)
    throw new FreshetError('SNAPSHOT_CORRUPT', `a page of ${compressedBytes} bytes, and of ${length} in full`)
  reader.offset += compressedBytes
  const compressed = bytes.subarray(from, reader.offset)
  // In one chunk: otherwise it is collected in small ones and copied together, which is twice the work for the GC. But
  // what a damaged header says is not allocated before there is something to fill it with.
  const believable = Math.min(length, MIN_BELIEVABLE_BYTES + MAX_RATIO * compressedBytes)
  const chunkSize = Math.max(MIN_CHUNK_BYTES, believable)
  return {
    rows: page.num_rows,
    plain: zstdDecompressSync(compressed, { chunkSize, maxOutputLength: Math.max(1, length) }),
  }
}

const MIN_CHUNK_BYTES = 64 // zlib wants as much
/** A page has 4,096 rows at most, whose keys have some hundred bytes. */
const MAX_PAGE_BYTES = 64 * 1024 * 1024
/** Most pages are smaller. */
const MIN_BELIEVABLE_BYTES = 256 * 1024
const MAX_RATIO = 64

function readerOf(bytes: Buffer): { view: DataView; offset: number } {
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: 0 }
}
