import { FreshetError } from '@freshet/errors/errors.ts'
import type { RowsSchema, StoredRows } from '@freshet/records/stored-rows.ts'
import type { SchemaElement } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { compareKeys } from '../keys.ts'
import { encodePage, schemaElements } from './columns.ts'
import { encodeFileSchema } from './file-schema.ts'
import { PendingColumn } from './pending-column.ts'

/** Pages of all columns hold the same rows. */
export const PAGE_ROWS = 4_096
/** 98,304 rows a row group: a reader fetches some 3 MB at a time. */
const GROUP_PAGES = 24
/** Bounds in the footer longer than this are cut (rounded so that they stay bounds). */
const BOUND_BYTES = 64

/** What the manifest says of a file. */
export interface FileFacts {
  readonly rows: number
  /** Length of the file. */
  readonly bytes: number
  /** 0 when there are no rows. */
  readonly newestAsOfMs: number
}

/**
 * Writes one snapshot file page by page; a page costs about 4 ms. What is ready may be taken at any time, so that the
 * file is never held whole: in memory are one row group and the indexes, about 5 bytes for 100 rows.
 *
 * hyparquet-writer makes the frame (footer, indexes); pages are encoded here, straight from columns, in a third of its
 * time. Its fields `row_groups`, `num_rows` and `pendingIndexes` are used, so its version is pinned, and a test reads our
 * files with the stock reader.
 */
export class SnapshotWriter {
  readonly #elements: readonly SchemaElement[]
  readonly #out = new ByteWriter()
  readonly #parquet: ParquetWriter
  #group: PendingColumn[]
  #groupRows = 0
  #groupPages = 0
  #rows = 0
  #newestAsOfMs = 0
  #last: StoredRows | undefined

  constructor(schema: RowsSchema) {
    const elements = schemaElements(schema.outputs)
    this.#parquet = new ParquetWriter({
      writer: this.#out,
      schema: elements,
      codec: 'ZSTD',
      statisticsTruncateLength: BOUND_BYTES,
      kvMetadata: encodeFileSchema(schema),
      createdBy: 'freshet',
    })
    this.#elements = elements.slice(1)
    this.#group = this.#emptyGroup()
  }

  /**
   * @param page at most PAGE_ROWS rows, of the schema given to the constructor, keys ascending as bytes from page to
   * page; 1 or more, and only the last page of a file may hold fewer than PAGE_ROWS. Kept until the next page.
   */
  add(page: StoredRows): void {
    this.#checkOrder(page)
    for (const [i, column] of encodePage(page).entries()) this.#group[i]!.add(column, page.count)
    this.#groupRows += page.count
    this.#rows += page.count
    for (let row = 0; row < page.count; row++)
      if (page.asOfMs[row]! > this.#newestAsOfMs) this.#newestAsOfMs = page.asOfMs[row]!
    if (++this.#groupPages === GROUP_PAGES) this.#endGroup()
  }

  /** The file's next bytes, as far as they are ready: whole row groups, and after `finish` all the rest. */
  take(): Uint8Array {
    const bytes = this.#out.getBytes().slice()
    this.#out.index = 0 // its offset, which is the place in the file, goes on
    return bytes
  }

  finish(): FileFacts {
    if (this.#groupRows > 0) this.#endGroup()
    this.#parquet.finish()
    return { rows: this.#rows, bytes: this.#out.offset, newestAsOfMs: this.#newestAsOfMs }
  }

  #checkOrder(page: StoredRows): void {
    for (let row = 0; row < page.count; row++) {
      const before = row > 0 ? page : this.#last
      const inOrder =
        before === undefined || compareKeys(before, row > 0 ? row - 1 : before.count - 1, page, row) < 0
      if (!inOrder) throw new FreshetError('BUG', 'rows of a snapshot are not in the order of their keys')
    }
    this.#last = page
  }

  #emptyGroup(): PendingColumn[] {
    return this.#elements.map((element) => new PendingColumn(element))
  }

  #endGroup(): void {
    const from = this.#out.offset
    const indexes = this.#group.map((column) => column.writeTo(this.#out))
    const columns = indexes.map(({ chunk }) => chunk)
    this.#parquet.pendingIndexes.push(...indexes)
    const plainBytes = columns.reduce((sum, { meta_data }) => sum + meta_data!.total_uncompressed_size, 0n)
    this.#parquet.row_groups.push({
      columns,
      total_byte_size: plainBytes,
      num_rows: BigInt(this.#groupRows),
      total_compressed_size: BigInt(this.#out.offset - from),
      sorting_columns: [{ column_idx: 0, descending: false, nulls_first: false }],
    })
    this.#parquet.num_rows += BigInt(this.#groupRows)
    this.#group = this.#emptyGroup()
    this.#groupRows = 0
    this.#groupPages = 0
  }
}
