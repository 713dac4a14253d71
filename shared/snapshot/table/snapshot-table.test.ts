import { scoreStoreContract } from '@freshet/ports/score-store.contract.ts'
import type { ScoreStore } from '@freshet/ports/score-store.ts'
import type { ScoreBatch } from '@freshet/records/score-batch.ts'
import { plainMerge, scoreBatches } from '@freshet/records/score-batches.kit.ts'
import { rowsOfBatch } from '@freshet/records/stored-rows.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { manyRows } from '../rows.kit.ts'
import { rowBytes } from './row-bytes.ts'
import { SnapshotTable } from './snapshot-table.ts'

scoreStoreContract('the table in memory', async () => asStore(new SnapshotTable()))

const tableOptions = fc.record({
  seed: fc.nat(),
  rows: fc.constantFrom(1, 10_000, 2 ** 40),
  memory: fc.constantFrom('kept', 'dropped'),
})

/**
 * The table against a plain Map under the same batches, with models whose outputs differ and documents with versions of
 * their own, so that entries are widened while they are in use; numbers up to their limits; few shards and many.
 */
test('the table holds for every key what a plain map holds, field for field', () => {
  fc.assert(
    fc.property(scoreBatches, tableOptions, (batches, options) => {
      const table = new SnapshotTable(options)
      for (const batch of batches) table.apply(rowsOfBatch(batch))
      const expected = plainMerge(batches)
      expect(table.size).toBe(expected.size)
      for (const [key, score] of expected) expect(table.get(key)).toEqual(score)
    }),
  )
})

test('deletes older than a time are let go of, and nothing else, wherever they lie and whatever comes after', () => {
  fc.assert(
    fc.property(scoreBatches, scoreBatches, fc.nat(), (before, after, seed) => {
      const table = new SnapshotTable({ seed, rows: 1 })
      const expected = plainMerge(before)
      for (const batch of before) table.apply(rowsOfBatch(batch))
      forgetAll(table, FORGET_BEFORE_MS)
      for (const [key, score] of expected)
        if (score.state === 'deleted' && score.scoredAtMs < FORGET_BEFORE_MS) expected.delete(key)
      for (const batch of after) table.apply(rowsOfBatch(batch))
      const all = plainMerge(after, expected)
      expect(table.size).toBe(all.size)
      expect(table.deleted).toBe([...all.values()].filter(({ state }) => state === 'deleted').length)
      for (const [key, score] of all) expect(table.get(key)).toEqual(score)
    }),
  )
})

test('what was let go of makes room for what comes', () => {
  const table = new SnapshotTable({ rows: 1 })
  const deleted = (from: number) => rowsOfBatch({ ...allDeleted(manyRows(from, 20_000)) })
  table.apply(deleted(0))
  const { bytes } = table
  for (let round = 1; round < 20; round++) {
    forgetAll(table, 2)
    expect(table.size).toBe(0)
    expect(table.get('flights/000001')).toBeUndefined()
    table.apply(deleted(round * 20_000))
  }
  expect(table.size).toBe(20_000)
  expect(table.bytes).toBeLessThan(bytes * 1.3)
})

test('at 56 bytes a key or less every key is found, at every size on the way, and no other key is', () => {
  const table = new SnapshotTable({ rows: 300_000 })
  for (let part = 0; part < 300; part++) {
    table.apply(rowsOfBatch(manyRows(part * 1_000, 1_000)))
    if (part >= 99) expect(table.bytes / table.size).toBeLessThan(56 + ONE_SEGMENT_BYTES / table.size)
  }
  expect(table.size).toBe(300_000)
  for (let i = 0; i < 300_000; i += 7)
    expect(table.get(`flights/${`${i}`.padStart(6, '0')}`)?.outputs).toEqual({ delay: i })
  for (let i = 300_000; i < 310_000; i++)
    expect(table.get(`flights/${`${i}`.padStart(6, '0')}`)).toBeUndefined()
})

test.each([
  [3, false],
  [1, true],
  [5, true],
])(
  'with %i outputs, versions: %s, a key takes no more than the table says of itself',
  (outputs, hasVersion) => {
    const { header, rows } = manyRows(0, 100_000)
    const names = Array.from({ length: outputs }, (_, i) => `output-${i}`)
    const table = new SnapshotTable({ rows: 100_000 })
    table.apply(
      rowsOfBatch({
        header: { ...header, outputs: names },
        rows: {
          ...rows,
          outputs: names.map(() => rows.outputs[0]!),
          ...(hasVersion && { documentVersions: rows.documentVersions.map(() => 7) }),
        },
      }),
    )
    expect(table.rowBytes).toBe(rowBytes(outputs, hasVersion))
    const segmentBytes = 16_384 * (36 + 8 * (outputs + 1))
    expect(table.bytes).toBeLessThan(table.rowBytes * table.size + segmentBytes)
    expect(table.bytes).toBeGreaterThan(0.8 * table.rowBytes * table.size)
  },
)

test('rows of a model that their file does not name are refused, again and again', () => {
  const rows = { ...rowsOfBatch(manyRows(0, 1)), schema: { outputs: ['delay'], models: new Map() } }
  const table = new SnapshotTable()
  for (let i = 0; i < 2; i++)
    expect(() => table.apply(rows)).toThrow(expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' }))
  expect(table.size).toBe(0)
})

test('times that no clock tells are refused, and not kept as others', () => {
  for (const wrong of [-1, 0.5, 2 ** 53, Number.NaN]) {
    const rows = rowsOfBatch(manyRows(0, 1))
    const table = new SnapshotTable()
    for (const columns of [{ asOfMs: Float64Array.of(wrong) }, { scoredAtMs: Float64Array.of(wrong) }])
      expect(() => table.apply({ ...rows, ...columns })).toThrow(
        expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' }),
      )
  }
})

const FORGET_BEFORE_MS = 1_750_000_000_000
const ONE_SEGMENT_BYTES = 16_384 * 44

function forgetAll(table: SnapshotTable, beforeMs: number): void {
  for (let from = 0; ; ) {
    from = table.forgetDeleted(beforeMs, from, 3)
    if (from === 0) return
  }
}

function allDeleted({ header, rows }: ScoreBatch): ScoreBatch {
  return { header, rows: { ...rows, states: rows.states.fill(1) } }
}

function asStore(table: SnapshotTable): ScoreStore {
  return {
    merge: async (rows) => table.apply(rows),
    get: async (key) => table.get(key),
    [Symbol.asyncDispose]: async () => {},
  }
}
