import { Buffer } from 'node:buffer'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import type { ScoreBatch } from '@freshet/records/score-batch.ts'
import { plainMerge, scoreBatches } from '@freshet/records/score-batches.kit.ts'
import { rowsOfBatch } from '@freshet/records/stored-rows.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mergeSorted, type SortedSource } from './merge.ts'
import { openSnapshotFile } from './parquet/read.ts'
import { sortRows } from './sort.ts'
import { SnapshotTable } from './table/snapshot-table.ts'
import { EMPTY_SCHEMA, uniteSchemas } from './unite-schemas.ts'
import { wholeFile } from './whole-file.kit.ts'

/**
 * Batches of any content, merged in pages so small that every boundary is met, against a plain Map. The table, which has
 * its own property, only serves to read the pages.
 */
test('a merge holds the highest rank of every key, in the order of key bytes, each key once', async () => {
  await fc.assert(
    fc.asyncProperty(scoreBatches, fc.integer({ min: 1, max: 5 }), async (batches, pageRows) => {
      const table = new SnapshotTable()
      const keys: Buffer[] = []
      for await (const page of merge(batches.map(sorted), { pageRows })) {
        table.apply(page)
        for (let row = 0; row < page.count; row++)
          keys.push(Buffer.from(page.keys.slice(page.keyOffsets[row], page.keyOffsets[row + 1])))
      }
      const expected = plainMerge(batches)
      expect(keys).toEqual([...expected.keys()].map((key) => Buffer.from(key)).sort(Buffer.compare))
      for (const [key, score] of expected) expect(table.get(key)).toEqual(score)
    }),
  )
})

test('old tombstones go, once they have outranked what was below them; nothing else does', async () => {
  const before = fc.constantFrom(1, 1_700_000_100_000, 1_700_000_100_001, Number.MAX_SAFE_INTEGER)
  await fc.assert(
    fc.asyncProperty(
      scoreBatches,
      fc.integer({ min: 1, max: 5 }),
      before,
      async (batches, pageRows, dropBeforeMs) => {
        const table = new SnapshotTable()
        let rows = 0
        for await (const page of merge(batches.map(sorted), { pageRows, dropBeforeMs })) {
          table.apply(page)
          rows += page.count
        }
        const expected = [...plainMerge(batches).values()].filter(
          ({ state, scoredAtMs }) => state !== 'deleted' || scoredAtMs >= dropBeforeMs,
        )
        expect([rows, table.size]).toEqual([expected.length, expected.length])
        for (const score of expected) expect(table.get(score.key)).toEqual(score)
      },
    ),
  )
})

test('merging files in any grouping gives the rows of merging them at once', async () => {
  await fc.assert(
    fc.asyncProperty(scoreBatches, fc.nat(6), async (batches, cut) => {
      await using store = new MemoryObjectStore()
      const halves = [batches.slice(0, cut), batches.slice(cut)]
      const files = await Promise.all(halves.map((half) => wholeFile(half.map(sorted))))
      const opened = await Promise.all(
        files.map(async ({ bytes }, i) => {
          await store.put(`half-${i}`, bytes)
          return openSnapshotFile(store, { key: `half-${i}`, bytes: bytes.length })
        }),
      )
      const { bytes } = await wholeFile(opened)
      const { rows } = await wholeFile(batches.map(sorted))
      await store.put('whole', bytes)
      const table = new SnapshotTable()
      for await (const page of (await openSnapshotFile(store, { key: 'whole', bytes: bytes.length })).pages)
        table.apply(page)
      expect(table.size).toBe(rows)
      for (const [key, score] of plainMerge(batches)) expect(table.get(key)).toEqual(score)
    }),
    { numRuns: 30 },
  )
})

function merge(sources: readonly SortedSource[], options: Parameters<typeof mergeSorted>[2]) {
  const schema = sources.map((source) => source.schema).reduce(uniteSchemas, EMPTY_SCHEMA)
  return mergeSorted(sources, schema, options)
}

function sorted(batch: ScoreBatch): SortedSource {
  return sortRows(rowsOfBatch(batch))
}
