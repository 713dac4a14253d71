import { Buffer } from 'node:buffer'
import { SNAPSHOT_COLUMNS } from '@freshet/records/snapshot-columns.ts'
import { type StoredScore, storedScoreOf } from '@freshet/records/stored-score.ts'
import { decodePage, schemaElements } from '../parquet/columns.ts'
import { readPage } from '../parquet/decode-group.ts'
import type { Range } from '../parquet/layout.ts'
import { guard } from '../parquet/source.ts'
import type { FileIndex } from './file-index.ts'
import type { RangeReads } from './range-reads.ts'

/**
 * What a file holds of a key: the page of keys first, and where the key is in it, then the same page of all other columns
 * at once, neighbours in one request. Two round trips at most, none of what is kept from before.
 * @throws as RangeReads does, and SNAPSHOT_CORRUPT
 */
export async function findRow(
  index: FileIndex,
  key: Buffer,
  reads: Pick<RangeReads, 'read'>,
): Promise<StoredScore | undefined> {
  const page = index.pageOf(key)
  if (page === -1) return undefined
  const keys = await reads.read(index.file, index.rangeOf(page, KEY))
  const row = guard(index.file, () => rowOfKey(readPage(keys).plain, key))
  if (row === -1) return undefined
  const columns = SNAPSHOT_COLUMNS.length + index.schema.outputs.length
  const wanted = Array.from({ length: columns - 1 }, (_, i) => index.rangeOf(page, i + 1))
  const pieces = await Promise.all(
    together(wanted).map(async (range) => ({ range, bytes: await reads.read(index.file, range) })),
  )
  return guard(index.file, () => {
    const values = wanted.map(({ from, to }, i) => {
      const { range, bytes } = pieces.find(({ range }) => range.from <= from && to <= range.to)!
      return valueAt(
        readPage(bytes.subarray(from - range.from, to - range.from)).plain,
        row,
        i + 1 < WIDTHS.length ? WIDTHS[i + 1] : OUTPUT_WIDTH,
      )
    })
    return storedScoreOf(decodePage(index.schema, 1, [lengthAndBytes(key), ...values]), 0)
  })
}

const KEY = SNAPSHOT_COLUMNS.indexOf('key')
/** What lies this near is read in one request: between two small pages of neighbouring columns lie other small pages. */
const NEAR_BYTES = 16 * 1024

/** Bytes of a value by column; undefined where lengths differ. Outputs, which follow, are doubles. */
const WIDTHS: readonly (number | undefined)[] = schemaElements([])
  .slice(1)
  .map(({ type }) => (type === 'INT32' ? 4 : type === 'INT64' ? 8 : undefined))
const OUTPUT_WIDTH = 8

/** @param ranges in the order of the file */
function together(ranges: readonly Range[]): Range[] {
  const joined: { from: number; to: number }[] = []
  for (const { from, to } of ranges) {
    const last = joined.at(-1)
    if (last !== undefined && from - last.to <= NEAR_BYTES) last.to = to
    else joined.push({ from, to })
  }
  return joined
}

/** -1: it is not in the page. */
function rowOfKey(plain: Uint8Array, key: Buffer): number {
  const bytes = bufferOf(plain)
  for (let at = 0, row = 0; at < bytes.length; row++) {
    const length = bytes.readUInt32LE(at)
    at += 4
    if (length === key.length && bytes.compare(key, 0, length, at, at + length) === 0) return row
    at += length
  }
  return -1
}

function valueAt(plain: Uint8Array, row: number, width: number | undefined): Uint8Array {
  if (width !== undefined) return plain.subarray(row * width, (row + 1) * width)
  const bytes = bufferOf(plain)
  let at = 0
  for (let before = 0; before < row; before++) at += 4 + bytes.readUInt32LE(at)
  return bytes.subarray(at, at + 4 + bytes.readUInt32LE(at))
}

function lengthAndBytes(key: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(key.length)
  return Buffer.concat([length, key])
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
