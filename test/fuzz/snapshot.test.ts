/** Snapshot files: the footer, the index of pages and the pages, of which hyparquet reads the first parts and we the rest. */
import { Buffer } from 'node:buffer'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { golden } from '@freshet/records/golden/golden.kit.ts'
import { scoreBatchOf } from '@freshet/records/score-batch.kit.ts'
import { ROW_STATES, scoreRowBytes } from '@freshet/records/score-batch.ts'
import { rowsOfBatch, type StoredRows } from '@freshet/records/stored-rows.ts'
import { keyBytes } from '@freshet/snapshot/keys.ts'
import { readPage } from '@freshet/snapshot/parquet/decode-group.ts'
import { decodeFileSchema, encodeFileSchema } from '@freshet/snapshot/parquet/file-schema.ts'
import { openSnapshotFile } from '@freshet/snapshot/parquet/read.ts'
import { guard } from '@freshet/snapshot/parquet/source.ts'
import { findRow } from '@freshet/snapshot/ranges/find-row.ts'
import { openFileIndex } from '@freshet/snapshot/ranges/open-file-index.ts'
import { manyRows } from '@freshet/snapshot/rows.kit.ts'
import { sortRows } from '@freshet/snapshot/sort.ts'
import { SnapshotTable } from '@freshet/snapshot/table/snapshot-table.ts'
import { wholeFile } from '@freshet/snapshot/whole-file.kit.ts'
import { expect, test } from 'vitest'
import { fuzz } from './fuzz.kit.ts'
import { expectRank } from './rank.kit.ts'

const few = scoreBatchOf([
  { key: 'a', outputs: [1] },
  { key: 'b', state: 'deleted', seqNo: 2 ** 53 - 1 },
  { key: 'é', state: 'unscorable' },
])
const valid = [
  golden('snapshot-file.v1.hex'),
  (await wholeFile([sortRows(rowsOfBatch(few))])).bytes,
  (await wholeFile([sortRows(rowsOfBatch(manyRows(0, 9_000)))])).bytes, // more than one page, so with an index
]
/** A page in full may be many times as long as in its file; the index and the rows of one page are held at a time. */
const maxKeptBytes = (inputBytes: number) => 64 * 2 ** 20 + 64 * inputBytes

async function storeOf(bytes: Buffer) {
  const store = new MemoryObjectStore()
  await store.put('file', bytes)
  return { store, file: { key: 'file', bytes: bytes.length } }
}

function checkRows(rows: StoredRows): void {
  expect(rows.count * scoreRowBytes(0, 0)).toBeLessThan(2 ** 26)
  const last = rows.count - 1
  for (const row of [0, last]) {
    const revision = {
      documentVersion: rows.documentVersions[row]!,
      epoch: rows.epochs[row]!,
      primaryTerm: rows.primaryTerms[row]!,
      seqNo: rows.seqNos[row]!,
    }
    expectRank({ revision, modelGeneration: rows.modelGenerations[row]! })
    for (const ms of [rows.asOfMs[row]!, rows.scoredAtMs[row]!]) new Date(ms).toISOString() // throws for what is no moment
    expect(ROW_STATES[rows.states[row]!]).toBeDefined()
  }
}

async function readWhole(bytes: Buffer): Promise<void> {
  const { store, file } = await storeOf(bytes)
  const { pages } = await openSnapshotFile(store, file)
  const table = new SnapshotTable()
  for await (const rows of pages) {
    checkRows(rows)
    table.apply(rows)
    const { outputs = {} } = table.get(Buffer.from(keyBytes(rows, 0)).toString()) ?? {}
    for (const value of Object.values(outputs)) expect(value).toBeTypeOf('number')
  }
}

fuzz({
  name: 'snapshot-file',
  format: 'bytes',
  codes: ['SNAPSHOT_CORRUPT', 'RECORD_VERSION'],
  valid,
  share: 0.5,
  maxKeptBytes,
  read: readWhole,
})

/** From the first page on. */
const pages = valid.slice(0, 2).map((file) => file.subarray(4))

fuzz({
  name: 'snapshot-page',
  format: 'bytes',
  codes: ['SNAPSHOT_CORRUPT'],
  valid: pages,
  share: 0.5,
  read(bytes) {
    const { rows, plain } = guard({ key: 'file', bytes: bytes.length }, () => readPage(bytes))
    expect(rows).toBeTypeOf('number')
    expect(plain.length).toBeLessThan(2 ** 20 + 64 * bytes.length)
  },
})

fuzz({
  name: 'snapshot-index',
  format: 'bytes',
  codes: ['SNAPSHOT_CORRUPT', 'RECORD_VERSION'],
  valid,
  share: 0.5,
  maxKeptBytes,
  async read(bytes) {
    const { store, file } = await storeOf(bytes)
    const index = await openFileIndex(store, file, new AbortController().signal)
    expect(index.bytes).toBeLessThan(64 * bytes.length + 1_024)
    const reads = {
      read: (_: unknown, { from, to }: { from: number; to: number }) => store.getRange('file', { from, to }),
    }
    for (const key of ['a', 'flights/005000', 'zz']) {
      const found = await findRow(index, Buffer.from(key), reads)
      if (found === undefined) continue
      expect(found.key).toBe(key)
      expect(ROW_STATES).toContain(found.state)
    }
  },
})

const schema = {
  outputs: ['delay'],
  models: new Map([[1, { name: 'delay', version: '1', outputs: ['delay'] }]]),
}

fuzz({
  name: 'snapshot-footer',
  format: 'json',
  codes: ['SNAPSHOT_CORRUPT', 'RECORD_VERSION'],
  valid: [Buffer.from(encodeFileSchema(schema)[0]!.value!)],
  read(bytes) {
    const read = decodeFileSchema([{ key: 'freshet', value: bytes.toString() }])
    for (const [generation, { outputs }] of read.models) {
      expect(generation).toSatisfy(Number.isSafeInteger)
      expect(read.outputs).toEqual(expect.arrayContaining([...outputs]))
    }
    expect(decodeFileSchema(encodeFileSchema(read))).toEqual(read)
  },
})

test.each([8.64e15 + 1, 2 ** 53 - 1])(
  'a row that speaks for the moment %d, which no date can show, is refused',
  async (ms) => {
    for (const [asOfMs, scoredAtMs] of [
      [ms, 0],
      [0, ms],
    ] as const) {
      const batch = scoreBatchOf([{ key: 'a', asOfMs }], { scoredAtMs })
      const { bytes } = await wholeFile([sortRows(rowsOfBatch(batch))])
      const corrupt = expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' })
      await expect(readWhole(bytes)).rejects.toEqual(corrupt)
      const { store, file } = await storeOf(bytes)
      const index = await openFileIndex(store, file, new AbortController().signal)
      const read = (_: unknown, range: { from: number; to: number }) => store.getRange('file', range)
      await expect(findRow(index, Buffer.from('a'), { read })).rejects.toEqual(corrupt)
    }
  },
)

test('a row of a model that the footer does not name is refused, before anyone takes it', async () => {
  const rows = { ...rowsOfBatch(few), modelGenerations: Uint32Array.of(1, 1, 2) }
  const { store, file } = await storeOf((await wholeFile([sortRows(rows)])).bytes)
  const { pages } = await openSnapshotFile(store, file)
  await expect(pages[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
})

test('a footer whose model has a name of several words is refused: the line of a score has no place for it', () => {
  const models = new Map([[1, { name: 'de lay', version: '1', outputs: ['delay'] }]])
  const corrupt = expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' })
  expect(() => decodeFileSchema(encodeFileSchema({ ...schema, models }))).toThrow(corrupt)
})

test('a footer whose model has an output without a column is refused', () => {
  const models = new Map([[1, { name: 'delay', version: '1', outputs: ['delay', 'other'] }]])
  const corrupt = expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' })
  expect(() => decodeFileSchema(encodeFileSchema({ ...schema, models }))).toThrow(corrupt)
})
