import { rowsOf } from '@freshet/ports/score-store.contract.ts'
import { expect, test } from 'vitest'
import { keySlot } from './key-slot.ts'
import { rowsToCalls } from './rows-to-calls.ts'

const settings = { url: 'redis://127.0.0.1', cluster: false, ttlSeconds: 0, tombstoneTtlSeconds: 3_600 }

test('a call carries at most 64 keys, and every key of the batch travels once', () => {
  const rows = Array.from({ length: 150 }, (_, i) => ({ key: `UA-${i}`, score: i }))
  const calls = rowsToCalls(rowsOf([...rows, ...rows]), 'flights', settings)
  expect(calls.map(({ keys }) => keys.length)).toEqual([64, 64, 22])
  expect(calls.flatMap(({ keys }) => keys)).toEqual(rows.map(({ key }) => `flights:score:${key}`))
})

test('deletes live as long as a tombstone must, scores as long as the settings say', () => {
  const batch = rowsOf([
    { key: 'lives', score: 1 },
    { key: 'gone', state: 'deleted' },
    { key: 'poison', state: 'unscorable' },
  ])
  const calls = rowsToCalls(batch, 'flights', settings)
  expect(calls.map(({ keys, args }) => [keys, args[0]])).toEqual([
    [['flights:score:lives', 'flights:score:poison'], '0'],
    [['flights:score:gone'], '3600'],
  ])
})

test('a batch without rows needs no call', () => {
  expect(rowsToCalls(rowsOf([]), 'flights', settings)).toEqual([])
})

test('in a cluster all keys of a call lie in one slot, and none is left out', () => {
  const rows = Array.from({ length: 3_000 }, (_, i) => ({ key: `{a}/UA-${i}`, score: i, seqNo: i }))
  const calls = rowsToCalls(rowsOf([...rows, ...rows]), 'flights', { ...settings, cluster: true })
  for (const { keys } of calls) expect(new Set(keys.map(keySlot)).size).toBe(1)
  const found = calls.flatMap(({ keys }) => keys.map((key) => key.replace(/^flights:score:{\d+}:/, '')))
  expect(found.toSorted()).toEqual(rows.map(({ key }) => key).toSorted())
  expect(calls.length).toBe(128)
})
