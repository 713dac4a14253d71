import { constants, zstdCompressSync } from 'node:zlib'
import type { ColumnChunk, SchemaElement, Statistics } from 'hyparquet'
import { writePageHeader } from 'hyparquet-writer/src/datapage.js'
import type { PageIndexes, Writer } from 'hyparquet-writer/src/types.js'
import type { EncodedColumn } from './columns.ts'

/** One column of a row group that is being filled: its compressed pages, kept until they can be written in a row. */
export class PendingColumn {
  readonly #element: SchemaElement
  readonly #pages: PendingPage[] = []
  #rows = 0

  constructor(element: SchemaElement) {
    this.#element = element
  }

  add({ plain, bounds }: EncodedColumn, rows: number): void {
    const compressed = zstdCompressSync(plain, { params: ZSTD })
    this.#pages.push({ compressed, plainBytes: plain.length, rows, firstRow: this.#rows, bounds })
    this.#rows += rows
  }

  /** @returns what the footer says of the chunk, and its page indexes */
  writeTo(out: Writer): PageIndexes {
    const from = out.offset
    let headerBytes = 0
    const locations = this.#pages.map((page) => {
      const offset = out.offset
      writePageHeader(out, pageHeader(page))
      headerBytes += out.offset - offset
      out.appendBytes(page.compressed)
      return {
        offset: BigInt(offset),
        compressed_page_size: out.offset - offset,
        first_row_index: BigInt(page.firstRow),
      }
    })
    const plainBytes = this.#pages.reduce((sum, page) => sum + page.plainBytes, headerBytes)
    const chunk: ColumnChunk = {
      file_offset: BigInt(from),
      meta_data: {
        type: this.#element.type!,
        encodings: ['PLAIN'],
        path_in_schema: [this.#element.name],
        codec: 'ZSTD',
        num_values: BigInt(this.#rows),
        total_uncompressed_size: BigInt(plainBytes),
        total_compressed_size: BigInt(out.offset - from),
        data_page_offset: BigInt(from),
        statistics: this.#statistics(),
      },
    }
    return { chunk, offsetIndex: { page_locations: locations }, ...this.#keyIndex() }
  }

  #statistics(): Statistics {
    const bounds = this.#pages.flatMap((page) => page.bounds ?? [])
    if (bounds.length === 0) return { null_count: 0n }
    const [first, last] = [bounds[0]!, bounds.at(-1)!]
    if (first.kind === 'bytes')
      return { min_value: first.min, max_value: (last as typeof first).max, null_count: 0n }
    const numbers = bounds as (typeof first)[]
    return {
      min_value: Math.min(...numbers.map(({ min }) => min)),
      max_value: Math.max(...numbers.map(({ max }) => max)),
      null_count: 0n,
    }
  }

  /** Only keys have one: they are what is looked up. */
  #keyIndex(): Pick<PageIndexes, 'columnIndex'> {
    const bounds = this.#pages.flatMap(({ bounds }) => (bounds?.kind === 'bytes' ? bounds : []))
    if (bounds.length === 0) return {}
    return {
      columnIndex: {
        null_pages: bounds.map(() => false),
        min_values: bounds.map(({ min }) => min),
        max_values: bounds.map(({ max }) => max),
        boundary_order: 'ASCENDING',
        null_counts: bounds.map(() => 0n),
      },
    }
  }
}

/** The checksum costs 4 bytes a page; with it a damaged page is an error and not other rows. */
const ZSTD = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 }

interface PendingPage {
  readonly compressed: Uint8Array
  readonly plainBytes: number
  readonly rows: number
  /** Within the row group. */
  readonly firstRow: number
  readonly bounds: EncodedColumn['bounds']
}

function pageHeader({ compressed, plainBytes, rows }: PendingPage): Parameters<typeof writePageHeader>[1] {
  return {
    type: 'DATA_PAGE_V2',
    uncompressed_page_size: plainBytes,
    compressed_page_size: compressed.length,
    data_page_header_v2: {
      num_values: rows,
      num_nulls: 0,
      num_rows: rows,
      encoding: 'PLAIN',
      definition_levels_byte_length: 0,
      repetition_levels_byte_length: 0,
      is_compressed: true,
    },
  }
}
