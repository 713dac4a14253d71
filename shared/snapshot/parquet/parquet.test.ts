import { Buffer } from 'node:buffer'
import { zstdDecompressSync } from 'node:zlib'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { golden } from '@freshet/records/golden/golden.kit.ts'
import { scoreBatchOf } from '@freshet/records/score-batch.kit.ts'
import type { ScoreBatch } from '@freshet/records/score-batch.ts'
import { plainMerge, scoreBatches } from '@freshet/records/score-batches.kit.ts'
import { rowsOfBatch, type StoredRows } from '@freshet/records/stored-rows.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import fc from 'fast-check'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { expect, test } from 'vitest'
import { manyRows } from '../rows.kit.ts'
import { sortRows } from '../sort.ts'
import { SnapshotTable } from '../table/snapshot-table.ts'
import { wholeFile } from '../whole-file.kit.ts'
import { openSnapshotFile } from './read.ts'
import { SnapshotWriter } from './write.ts'

test('what is written is what our reader reads, field for field', async () => {
  await fc.assert(
    fc.asyncProperty(scoreBatches, async (batches) => {
      const expected = plainMerge(batches)
      const file = await write(batches)
      const table = await load(file.bytes)
      expect([table.size, file.rows]).toEqual([expected.size, expected.size])
      for (const [key, score] of expected) expect(table.get(key)).toEqual(score)
      expect(file.newestAsOfMs).toBe(Math.max(0, ...expected.values().map(({ asOfMs }) => asOfMs)))
    }),
  )
})

test('what is written is what a stock Parquet reader reads, sorted by key', async () => {
  await fc.assert(
    fc.asyncProperty(scoreBatches, async (batches) => {
      const { bytes } = await write(batches)
      const rows = await readStock(bytes)
      const expected = [...plainMerge(batches).values()].sort((a, b) =>
        Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)),
      )
      expect(rows).toEqual(expected.map((score) => expect.objectContaining(asColumns(score))))
    }),
  )
})

test('a large file can be skipped through: sorted row groups with bounds, and a page index on the key', async () => {
  const { bytes } = await write(Array.from({ length: 20 }, (_, part) => manyRows(part * 10_000, 10_000)))
  const metadata = parquetMetadata(bytes)
  expect(metadata.row_groups.map(({ num_rows }) => num_rows)).toEqual([98_304n, 98_304n, 3_392n])
  expect(metadata.row_groups.map(({ columns }) => columns[0]!.meta_data!.statistics)).toMatchObject([
    { min_value: 'flights/000000', max_value: 'flights/098303' },
    { min_value: 'flights/098304', max_value: 'flights/196607' },
    { min_value: 'flights/196608', max_value: 'flights/199999' },
  ])
  const group = metadata.row_groups[0]!
  expect(group.sorting_columns).toEqual([{ column_idx: 0, descending: false, nulls_first: false }])
  expect(group.columns[0]!.column_index_offset).toBeDefined()
  for (const column of group.columns) expect(column.offset_index_offset).toBeDefined()
  const found = await readStock(bytes, { key: { $eq: 'flights/123456' } })
  expect(found).toEqual([expect.objectContaining({ key: 'flights/123456', delay: 123_456 })])
})

test('a damaged page is found, and never read as other rows', async () => {
  const { bytes } = await write([manyRows(0, 500)])
  const pagesEnd = parquetMetadata(bytes).row_groups[0]!.columns.reduce(
    (end, { meta_data }) =>
      Math.max(end, Number(meta_data!.data_page_offset + meta_data!.total_compressed_size)),
    0,
  )
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 4, max: pagesEnd - 1 }),
      fc.integer({ min: 1, max: 255 }),
      async (at, flip) => {
        const damaged = Buffer.from(bytes)
        damaged[at]! ^= flip
        const table = await load(damaged).catch((error: unknown) => error)
        if (table instanceof SnapshotTable)
          expect(table.get('flights/000123')?.outputs).toEqual({ delay: 123 })
        else expect(table).toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
      },
    ),
  )
})

test('a file that was cut off, or is no snapshot, is refused', async () => {
  const { bytes } = await write([manyRows(0, 500)])
  await expect(load(bytes.subarray(0, bytes.length - 9))).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
  await expect(load(Buffer.from('key,score\n'))).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
})

/** Compressed pages may differ from one zstd to the next, so the bytes are read and not written again. */
test('a file of version 1, frozen, is read for ever', async () => {
  const batches = [
    scoreBatchOf([
      { key: 'flights/a', outputs: [1.5] },
      { key: 'flights/é', state: 'deleted', seqNo: 2 ** 53 - 1 },
    ]),
    scoreBatchOf(
      [
        { key: 'flights/b', documentVersion: 7, primaryTerm: 2 ** 32 - 1, outputs: [-0.25, 0.75] },
        { key: 'flights/c', state: 'unscorable' },
      ],
      {
        model: { name: 'delay', version: '2', generation: 2 },
        outputs: ['delay', 'risk'],
        scoredAtMs: 1_800_000_000_000,
      },
    ),
  ]
  const table = await load(golden('snapshot-file.v1.hex'))
  expect(table.size).toBe(4)
  for (const [key, score] of plainMerge(batches)) expect(table.get(key)).toEqual(score)
})

test('rows out of order are not written', () => {
  const rows = rowsOfBatch(manyRows(0, 2))
  const writer = new SnapshotWriter(rows.schema)
  writer.add(rows)
  expect(() => writer.add(rows)).toThrow(/order of their keys/)
})

async function write(batches: readonly ScoreBatch[]) {
  return wholeFile(batches.map((batch) => sortRows(rowsOfBatch(batch))))
}

async function load(bytes: Buffer): Promise<SnapshotTable> {
  await using store = new MemoryObjectStore()
  await store.put('file', bytes)
  const table = new SnapshotTable()
  const file = await openSnapshotFile(store, { key: 'file', bytes: bytes.length })
  for await (const page of file.pages as AsyncIterable<StoredRows>) table.apply(page)
  return table
}

function readStock(bytes: Buffer, filter?: { key: { $eq: string } }): Promise<Record<string, unknown>[]> {
  const file = new Uint8Array(bytes).buffer
  const compressors = { ZSTD: (page: Uint8Array) => new Uint8Array(zstdDecompressSync(page)) }
  return parquetReadObjects({ file, compressors, ...(filter && { filter, usePageIndex: true }) })
}

function asColumns(score: StoredScore): Record<string, unknown> {
  const { documentVersion, epoch, primaryTerm, seqNo } = score.rank.revision
  return {
    key: score.key,
    document_version: BigInt(documentVersion),
    epoch: BigInt(epoch),
    primary_term: primaryTerm,
    seq_no: BigInt(seqNo),
    model_generation: score.rank.modelGeneration,
    as_of: new Date(score.asOfMs),
    scored_at: new Date(score.scoredAtMs),
    state: score.state,
    ...score.outputs,
  }
}
