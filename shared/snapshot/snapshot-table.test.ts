import { scoreStoreContract } from '@freshet/ports/score-store.contract.ts'
import type { ScoreStore } from '@freshet/ports/score-store.ts'
import { rowsOfBatch } from '@freshet/records/stored-rows.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { manyRows, plainMerge, scoreBatches } from './rows.kit.ts'
import { SnapshotTable } from './snapshot-table.ts'

scoreStoreContract('the table in memory', async () => asStore(new SnapshotTable()))

/**
 * The table against a plain Map under the same batches, with models whose outputs differ and documents with versions of
 * their own, so that entries are widened while they are in use.
 */
test('the table holds for every key what a plain map holds, field for field', () => {
  fc.assert(
    fc.property(scoreBatches, fc.nat(), (batches, seed) => {
      const table = new SnapshotTable(seed)
      for (const batch of batches) table.apply(rowsOfBatch(batch))
      const expected = plainMerge(batches)
      expect(table.size).toBe(expected.size)
      for (const [key, score] of expected) expect(table.get(key)).toEqual(score)
    }),
  )
})

test('a hundred thousand keys are all found, at less than 100 bytes each, and no other key is', () => {
  const table = new SnapshotTable()
  for (let part = 0; part < 100; part++) table.apply(rowsOfBatch(manyRows(part * 1_000, 1_000)))
  expect(table.size).toBe(100_000)
  for (let i = 0; i < 100_000; i += 7)
    expect(table.get(`flights/${`${i}`.padStart(6, '0')}`)?.outputs).toEqual({ delay: i })
  for (let i = 100_000; i < 110_000; i++)
    expect(table.get(`flights/${`${i}`.padStart(6, '0')}`)).toBeUndefined()
  expect(table.bytes / table.size).toBeLessThan(100)
})

test('rows of a model that their file does not name are refused', () => {
  const rows = { ...rowsOfBatch(manyRows(0, 1)), schema: { outputs: ['delay'], models: new Map() } }
  expect(() => new SnapshotTable().apply(rows)).toThrow(expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' }))
})

function asStore(table: SnapshotTable): ScoreStore {
  return {
    merge: async (rows) => table.apply(rows),
    get: async (key) => table.get(key),
    [Symbol.asyncDispose]: async () => {},
  }
}
