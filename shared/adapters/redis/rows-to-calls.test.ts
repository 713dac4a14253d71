import { batchOf, rowsOf } from '@freshet/ports/score-store.contract.ts'
import { keyAt, ROW_STATES, STATE } from '@freshet/records/score-batch.ts'
import { pageOf, plainMerge, scoreBatches } from '@freshet/records/score-batches.kit.ts'
import type { StoredRows } from '@freshet/records/stored-rows.ts'
import { storedScoreOf } from '@freshet/records/stored-score.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keySlot } from './key-slot.ts'
import { redisKeyIn } from './redis-key.ts'
import { type GuardedCall, rowsToCalls } from './rows-to-calls.ts'

const settings = { url: 'redis://127.0.0.1', cluster: false, ttlSeconds: 0, tombstoneTtlSeconds: 3_600 }

const keysOf = (rows: StoredRows, call: GuardedCall) => call.rows.map((row) => keyAt(rows, row).toString())

test('a call carries at most 64 keys, and every key of the batch travels once', () => {
  const keys = Array.from({ length: 150 }, (_, i) => `UA-${i}`)
  const rows = rowsOf([...keys, ...keys].map((key) => ({ key, score: 1 })))
  const calls = rowsToCalls(rows, settings)
  expect(calls.map((call) => call.rows.length)).toEqual([64, 64, 22])
  expect(calls.flatMap((call) => keysOf(rows, call))).toEqual(keys)
})

test('deletes live as long as a tombstone must, scores as long as the settings say', () => {
  const rows = rowsOf([
    { key: 'lives', score: 1 },
    { key: 'gone', state: 'deleted' },
    { key: 'poison', state: 'unscorable' },
  ])
  const calls = rowsToCalls(rows, settings)
  expect(calls.map((call) => [keysOf(rows, call), call.ttlSeconds])).toEqual([
    [['lives', 'poison'], 0],
    [['gone'], 3_600],
  ])
})

test('of each key goes the row that a plain merge would keep, whatever model it is of, deleted or not', () => {
  const row = fc.record({
    key: fc.string({ unit: 'grapheme', maxLength: 2 }),
    seqNo: fc.nat(4),
    state: fc.constantFrom(...ROW_STATES),
  })
  const many = fc.array(row, { maxLength: 300 }).map((rows) => [batchOf(rows)])
  fc.assert(
    fc.property(fc.oneof(scoreBatches, many), fc.boolean(), (batches, cluster) => {
      const page = pageOf(batches)
      const calls = rowsToCalls(page, { ...settings, cluster })
      const sent = calls.flatMap(({ rows }) => rows.map((at) => storedScoreOf(page, at)))
      const kept = plainMerge(batches)
      expect(sent).toHaveLength(kept.size)
      expect(new Map(sent.map((score) => [score.key, score]))).toEqual(kept)
      for (const { rows, ttlSeconds } of calls)
        for (const at of rows) expect(ttlSeconds).toBe(page.states[at] === STATE.deleted ? 3_600 : 0)
    }),
  )
})

test.each([
  ['costarring', 'liquid'],
  ['altarage', 'zinke'],
])('keys of one hash (FNV-1a), as %s and %s are, are two keys', (...keys) => {
  const rows = rowsOf([...keys, ...keys].map((key, seqNo) => ({ key, score: 1, seqNo })))
  expect(rowsToCalls(rows, settings).map(({ rows }) => rows)).toEqual([[2, 3]])
})

test('a batch without rows needs no call, nor does a page of no model', () => {
  for (const rows of [rowsOf([]), pageOf([])]) expect(rowsToCalls(rows, settings)).toEqual([])
})

test('in a cluster all keys of a call lie in one slot, and none is left out', () => {
  const keys = Array.from({ length: 3_000 }, (_, i) => `{a}/UA-${i}`)
  const rows = rowsOf([...keys, ...keys].map((key, seqNo) => ({ key, score: 1, seqNo })))
  const calls = rowsToCalls(rows, { ...settings, cluster: true })
  for (const call of calls) {
    const slots = keysOf(rows, call).map((key) => keySlot(redisKeyIn(call.bucket, 'flights', key)))
    expect(new Set(slots).size).toBe(1)
  }
  expect(calls.flatMap((call) => keysOf(rows, call)).toSorted()).toEqual(keys.toSorted())
  expect(calls.length).toBe(128)
})
