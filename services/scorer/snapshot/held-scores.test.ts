import type { Lease } from '@freshet/adapters/kafka/consumer.ts'
import type { Manifest } from '@freshet/records/manifest.ts'
import { manyRows } from '@freshet/snapshot/rows.kit.ts'
import { expect, test } from 'vitest'
import { HeldScores } from './held-scores.ts'

const committed = { nextOffset: 7, base: null, deltas: [], retired: [] }
const manifest = { partitions: { 1: committed } } as unknown as Manifest
const lease = {} as Lease

test('reading goes on where the manifest stands, and at the beginning where it knows nothing', () => {
  const held = new HeldScores([0, 1], manifest)
  expect(held.starts()).toEqual(
    new Map([
      [0, 0],
      [1, 7],
    ]),
  )
})

test('what was read once is not taken twice', () => {
  const held = new HeldScores([1], manifest)
  held.add(1, 7, manyRows(0, 2), lease)
  expect([held.wants(1, 7), held.wants(1, 8)]).toEqual([false, true])
})

test('a topic that was made anew is read from its beginning, although the manifest is beyond it', () => {
  const held = new HeldScores([1], manifest)
  expect(held.wants(1, 0)).toBe(true)
  held.add(1, 0, manyRows(0, 2), lease)
  expect(held.take()).toMatchObject([{ fromOffset: 0, nextOffset: 1 }])
})

test('what is taken is held no more, and the next part begins behind it', () => {
  const held = new HeldScores([0, 1], manifest)
  held.add(1, 7, manyRows(0, 2), lease)
  held.add(1, 8, manyRows(0, 3), lease)
  expect(held.rows).toBe(5)
  expect(held.take()).toMatchObject([{ partition: 1, rows: 5, fromOffset: 7, nextOffset: 9 }])
  expect([held.rows, held.take()]).toEqual([0, []])
  held.add(1, 9, manyRows(0, 1), lease)
  expect(held.take()).toMatchObject([{ partition: 1, rows: 1, fromOffset: 9, nextOffset: 10 }])
})

test('a message that cannot be read moves the position on, without rows', () => {
  const held = new HeldScores([1], manifest)
  held.add(1, 7, null, lease)
  expect(held.take()).toMatchObject([{ rows: 0, sources: [], fromOffset: 7, nextOffset: 8 }])
})
