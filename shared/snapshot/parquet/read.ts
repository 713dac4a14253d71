import type { Buffer } from 'node:buffer'
import { zstdDecompressSync } from 'node:zlib'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { SNAPSHOT_COLUMNS } from '@freshet/records/snapshot-columns.ts'
import type { RowsSchema, StoredRows } from '@freshet/records/stored-rows.ts'
import { type FileMetaData, parquetMetadata, type RowGroup } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { decodePage, schemaElements } from './columns.ts'
import { decodeFooter } from './footer.ts'

export interface SnapshotFileReader {
  readonly schema: RowsSchema
  /**
   * All rows in the order of their keys, page by page (at most 4,096 rows, about 2 ms each); one row group of about
   * 3 MB is held at a time. @throws SNAPSHOT_FILE_MISSING, SNAPSHOT_CORRUPT, and what the store throws
   */
  readonly pages: AsyncIterable<StoredRows>
}

interface FileAddress {
  readonly key: string
  /** Length of the object. */
  readonly bytes: number
}

/**
 * Opens a file that SnapshotWriter wrote.
 * @param what `ranks`: without the outputs, which are neither fetched nor decoded
 * @throws SNAPSHOT_FILE_MISSING, SNAPSHOT_CORRUPT, RECORD_VERSION
 */
export async function openSnapshotFile(
  store: ObjectStore,
  file: FileAddress,
  signal?: AbortSignal,
  what: 'all' | 'ranks' = 'all',
): Promise<SnapshotFileReader> {
  const source = await openSource(store, file, signal)
  const metadata = guard(file, () => parquetMetadata(source.tail))
  const footer = decodeFooter(metadata.key_value_metadata)
  checkColumns(file, metadata, footer)
  const schema = what === 'all' ? footer : { ...footer, outputs: [] }
  return { schema, pages: readPages(source, metadata, schema) }
}

async function* readPages(
  source: Source,
  metadata: FileMetaData,
  schema: RowsSchema,
): AsyncGenerator<StoredRows> {
  for (const group of metadata.row_groups) {
    const chunks = chunkRanges(group).slice(0, SNAPSHOT_COLUMNS.length + schema.outputs.length)
    const from = chunks[0]!.from
    const bytes = await source.read(from, chunks.at(-1)!.to)
    const columns = chunks.map((chunk) => new ChunkReader(bytes.subarray(chunk.from - from, chunk.to - from)))
    for (let left = Number(group.num_rows); left > 0; ) {
      const page = guard(source.file, () => nextPage(columns, schema))
      left -= page.count
      yield page
    }
  }
}

/** The same page of every column: they hold the same rows. */
function nextPage(columns: readonly ChunkReader[], schema: RowsSchema): StoredRows {
  const pages = columns.map((column) => column.next())
  const rows = pages[0]!.rows
  if (rows === 0 || pages.some((page) => page.rows !== rows))
    throw new FreshetError('SNAPSHOT_CORRUPT', 'the pages of its columns do not hold the same rows')
  return decodePage(
    schema,
    rows,
    pages.map(({ plain }) => plain),
  )
}

class ChunkReader {
  readonly #bytes: Buffer
  readonly #reader: { view: DataView; offset: number }

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: 0 }
  }

  next(): { rows: number; plain: Uint8Array } {
    const header = parquetHeader(this.#reader)
    const from = this.#reader.offset
    const page = header.data_page_header_v2
    if (page === undefined || page.encoding !== 'PLAIN')
      throw new FreshetError(
        'SNAPSHOT_CORRUPT',
        `a page of type ${header.type} that SnapshotWriter does not write`,
      )
    this.#reader.offset += header.compressed_page_size
    const compressed = this.#bytes.subarray(from, this.#reader.offset)
    return {
      rows: page.num_rows,
      plain: zstdDecompressSync(compressed, { maxOutputLength: Math.max(1, header.uncompressed_page_size) }),
    }
  }
}

function chunkRanges(group: RowGroup): { from: number; to: number }[] {
  return group.columns.map(({ meta_data }) => {
    const from = Number(meta_data!.data_page_offset)
    return { from, to: from + Number(meta_data!.total_compressed_size) }
  })
}

/** Bytes of a file by position; the tail, which holds the footer, is there already. */
interface Source {
  readonly file: FileAddress
  readonly tail: Buffer
  read(from: number, to: number): Promise<Buffer>
}

/** Holds the footer of some 50 million rows; and small files whole, so that they cost one request. */
const TAIL_BYTES = 512 * 1024

async function openSource(store: ObjectStore, file: FileAddress, signal?: AbortSignal): Promise<Source> {
  const tailFrom = Math.max(0, file.bytes - TAIL_BYTES)
  const read = (from: number, to: number) =>
    store.getRange(file.key, { from, to }, signal).catch((cause: unknown) => {
      if (!isFreshetError(cause, 'OBJECT_MISSING')) throw cause
      const text = `${store.urlOf(file.key)} is a file of the snapshot, and is not there`
      throw new FreshetError('SNAPSHOT_FILE_MISSING', text, { cause })
    })
  const tail = await read(tailFrom, file.bytes)
  return {
    file,
    tail,
    read: async (from, to) =>
      from >= tailFrom ? tail.subarray(from - tailFrom, to - tailFrom) : read(from, to),
  }
}

function checkColumns({ key }: FileAddress, { schema: found }: FileMetaData, { outputs }: RowsSchema): void {
  const expected = schemaElements(outputs)
  const fits = expected.every(
    ({ name, type, repetition_type }, i) =>
      found[i]?.name === name && found[i].type === type && found[i].repetition_type === repetition_type,
  )
  if (!fits || found.length !== expected.length)
    throw new FreshetError('SNAPSHOT_CORRUPT', `${key} does not have the columns of a snapshot`)
}

/** Whatever the parsers throw about bytes that they cannot read. */
function guard<T>({ key }: FileAddress, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new FreshetError('SNAPSHOT_CORRUPT', `${key}: ${(cause as Error).message}`, { cause })
  }
}
