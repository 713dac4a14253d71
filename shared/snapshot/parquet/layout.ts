import { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { RowsSchema } from '@freshet/records/stored-rows.ts'
import type { TimeSlice } from '@freshet/stage/time-slice.ts'
import { type FileMetaData, parquetMetadata } from 'hyparquet'
import { deserializeTCompactProtocol, readVarInt } from 'hyparquet/src/thrift.js'
import { schemaElements } from './columns.ts'
import { decodeFileSchema } from './file-schema.ts'
import { type FileAddress, guard, type Source } from './source.ts'
import { checkStruct } from './thrift-bounds.ts'

/** Where things lie in a snapshot file. */
export interface FileLayout {
  readonly schema: RowsSchema
  readonly groups: readonly GroupLayout[]
}

export interface GroupLayout {
  readonly rows: number
  /** In the order of the columns. */
  readonly chunks: readonly ChunkLayout[]
}

/** Positions in the file, `to` exclusive. */
export interface Range {
  readonly from: number
  readonly to: number
}

interface ChunkLayout extends Range {
  /** Both undefined where the chunk has one page only; the column index also for all but the key. */
  readonly offsetIndex: Range | undefined
  readonly columnIndex: Range | undefined
}

/**
 * Reads the footer. hyparquet parses what is small; of row groups there may be hundreds, at up to 0.2 ms each, so they are
 * parsed here one by one.
 * @throws SNAPSHOT_CORRUPT, RECORD_VERSION
 */
export async function readLayout({ file, tail }: Source, slice: TimeSlice): Promise<FileLayout> {
  const footer = guard(file, () => findRowGroups(tail))
  const groups: GroupLayout[] = []
  while (groups.length < footer.count) {
    groups.push(guard(file, () => groupLayout(readStruct(footer.reader), file.bytes)))
    const pause = slice.pause()
    if (pause !== undefined) await pause
  }
  const metadata = guard(file, () => parquetMetadata(checkedFooter(withoutRowGroups(tail, footer))))
  const schema = decodeFileSchema(metadata.key_value_metadata)
  checkColumns(file, metadata, schema)
  if (groups.some(({ chunks }) => chunks.length !== metadata.schema.length - 1))
    throw new FreshetError('SNAPSHOT_CORRUPT', `${file.key}: a row group does not have all columns`)
  if (groups.reduce((sum, { rows }) => sum + rows, 0) !== Number(metadata.num_rows))
    throw new FreshetError(
      'SNAPSHOT_CORRUPT',
      `${file.key}: its row groups do not have as many rows as it says`,
    )
  return { schema, groups }
}

interface Footer {
  /** Where it starts in the tail, and where its list of row groups does. */
  readonly start: number
  readonly listAt: number
  /** Row groups. */
  readonly count: number
  /** At the first of them. */
  readonly reader: { readonly view: DataView; offset: number }
}

/** Row groups are field 4 of the footer; before it stand numbers and the list of columns. */
function findRowGroups(tail: Buffer): Footer {
  const end = tail.length - 8
  const start = end < 0 ? -1 : end - tail.readUInt32LE(end)
  if (start < 0 || tail.toString('latin1', end + 4) !== 'PAR1') throw new Error('no Parquet footer')
  const reader = { view: new DataView(tail.buffer, tail.byteOffset, end), offset: start }
  for (let field = 0; ; ) {
    const byte = reader.view.getUint8(reader.offset++)
    field += byte >> 4
    if (byte === 0 || byte >> 4 === 0 || field > ROW_GROUPS) throw new Error('a footer without row groups')
    const listAt = reader.offset
    if (field === ROW_GROUPS) return { start, listAt, count: listLength(reader), reader }
    if ((byte & 15) === LIST) for (let left = listLength(reader); left > 0; left--) readStruct(reader)
    else readVarInt(reader)
  }
}

const ROW_GROUPS = 4
const LIST = 9
const STRUCT = 12
const EMPTY_LIST = Buffer.of(STRUCT)

function listLength(reader: Footer['reader']): number {
  const byte = reader.view.getUint8(reader.offset++)
  if (byte >> 4 > 0 && (byte & 15) !== STRUCT) throw new Error('a list of something else')
  const length = byte >> 4 === 15 ? readVarInt(reader) : byte >> 4
  if (length < 0 || length > reader.view.byteLength - reader.offset) throw new Error(`a list of ${length}`)
  return length
}

function readStruct(reader: Footer['reader']): Thrift {
  checkStruct(reader)
  return deserializeTCompactProtocol(reader)
}

/** @param file nothing but a footer, its length and the magic word */
function checkedFooter(file: Uint8Array): Uint8Array {
  checkStruct({ view: new DataView(file.buffer, file.byteOffset, file.length - 8), offset: 0 })
  return file
}

/** The same footer, as if the file had none; the reader stands behind the last of them. */
function withoutRowGroups(tail: Buffer, { start, listAt, reader }: Footer): Uint8Array {
  const footer = Buffer.concat([
    tail.subarray(start, listAt),
    EMPTY_LIST,
    tail.subarray(reader.offset, tail.length - 8),
  ])
  const end = Buffer.from('0000PAR1')
  end.writeUInt32LE(footer.length)
  return Buffer.concat([footer, end])
}

/** Fields of `RowGroup`, `ColumnChunk` and `ColumnMetaData` by their numbers in parquet.thrift. */
function groupLayout(group: Thrift, fileBytes: number): GroupLayout {
  const rows = Number(group.field_3)
  if (!Number.isSafeInteger(rows) || rows < 0) throw new Error(`a row group of ${rows} rows`)
  let last = 0
  const chunks: ChunkLayout[] = group.field_1.map((chunk: Thrift) => {
    const { field_9: dataPageOffset, field_7: totalCompressedSize } = chunk.field_3
    const pages = rangeWithin(fileBytes, dataPageOffset, totalCompressedSize)
    if (pages === undefined || pages.from < last) throw new Error('a column chunk that is not in its place')
    last = pages.to
    return {
      ...pages,
      offsetIndex: rangeWithin(fileBytes, chunk.field_4, chunk.field_5),
      columnIndex: rangeWithin(fileBytes, chunk.field_6, chunk.field_7),
    }
  })
  return { rows, chunks }
}

type Thrift = ReturnType<typeof deserializeTCompactProtocol>

/** undefined: nothing is said of it. @throws for what is not in the file */
export function rangeWithin(
  fileBytes: number,
  offset: bigint | undefined,
  length: number | bigint | undefined,
): Range | undefined {
  if (offset === undefined) return undefined
  const from = Number(offset)
  const to = from + Number(length)
  if (from >= 0 && from <= to && to <= fileBytes) return { from, to }
  throw new Error(`bytes from ${from} to ${to} of a file of ${fileBytes}`)
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
