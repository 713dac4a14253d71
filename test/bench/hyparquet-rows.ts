import { zstdDecompressSync } from 'node:zlib'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { type ParquetRow, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'

/**
 * Rows of a file in S3 as hyparquet gives them, a row group at a time; of the file it fetches what it needs.
 * @param columns undefined: all
 */
export async function* hyparquetRows(
  store: ObjectStore,
  object: string,
  columns?: string[],
): AsyncGenerator<readonly ParquetRow[]> {
  const [listed] = await store.list(object)
  const file = {
    byteLength: listed!.bytes,
    async slice(from: number, to = listed!.bytes) {
      const { buffer, byteOffset, length } = await store.getRange(object, { from, to })
      return buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer
    },
  }
  const metadata = await parquetMetadataAsync(file)
  const shared = { file, metadata, compressors: DECOMPRESSORS, ...(columns && { columns }) }
  let rowStart = 0
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows)
    yield await parquetReadObjects({ ...shared, rowStart, rowEnd })
    rowStart = rowEnd
  }
}

/** What hyparquet does not bring. */
const DECOMPRESSORS = { ZSTD: (input: Uint8Array) => new Uint8Array(zstdDecompressSync(input)) }
