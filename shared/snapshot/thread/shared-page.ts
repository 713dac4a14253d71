import type { RowsSchema, StoredRows } from '@freshet/records/stored-rows.ts'

/** Columns of a page in memory that two threads share: `count` rows, all keys, and the buffer that holds them. */
export interface SharedPage {
  readonly buffer: SharedArrayBuffer
  readonly count: number
  readonly keyBytes: number
}

/** What a page takes. */
export function pageBytes(rows: StoredRows): number {
  const { count, outputs } = rows
  return 8 * count * (DOUBLES + outputs.length) + 4 * (3 * count + 1) + count + keyBytesOf(rows)
}

/** @param buffer large enough. */
export function sharePage(rows: StoredRows, buffer: SharedArrayBuffer): SharedPage {
  const { count } = rows
  const keyBytes = keyBytesOf(rows)
  const page = { buffer, count, keyBytes }
  const to = viewPage(page, rows.schema)
  for (const column of COLUMNS) to[column].set(rows[column].subarray(0, count) as never)
  to.keyOffsets.set(rows.keyOffsets.subarray(0, count + 1))
  to.keys.set(rows.keys.subarray(0, keyBytes))
  for (const [i, output] of rows.outputs.entries()) to.outputs[i]!.set(output.subarray(0, count))
  return page
}

/** The page's rows, in place. */
export function viewPage({ buffer, count, keyBytes }: SharedPage, schema: RowsSchema): StoredRows {
  let at = 0
  const doubles = () => new Float64Array(buffer, (at += 8 * count) - 8 * count, count)
  const words = (length: number) => new Uint32Array(buffer, (at += 4 * length) - 4 * length, length)
  const bytes = (length: number) => new Uint8Array(buffer, (at += length) - length, length)
  return {
    count,
    schema,
    documentVersions: doubles(),
    epochs: doubles(),
    seqNos: doubles(),
    asOfMs: doubles(),
    scoredAtMs: doubles(),
    outputs: schema.outputs.map(doubles),
    primaryTerms: words(count),
    modelGenerations: words(count),
    keyOffsets: words(count + 1),
    states: bytes(count),
    keys: bytes(keyBytes),
  }
}

function keyBytesOf({ count, keyOffsets }: StoredRows): number {
  return keyOffsets[count]! - keyOffsets[0]!
}

const DOUBLES = 5
const COLUMNS = [
  'documentVersions',
  'epochs',
  'seqNos',
  'asOfMs',
  'scoredAtMs',
  'primaryTerms',
  'modelGenerations',
  'states',
] as const satisfies (keyof StoredRows)[]
