import { cursorRecord } from '@freshet/records/cursor.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { beginCursor, progressOf, withProgress } from './stored-progress.ts'

const begun = beginCursor({
  clusterUuid: 'c',
  index: 'flights',
  indexUuid: 'u',
  scope: 'timestamp/at/0',
  epoch: 100,
  before: undefined,
})

test('an index that begins has captured nothing, and knows of no whole read', () => {
  expect(progressOf(begun)).toEqual({ newestMs: Number.NEGATIVE_INFINITY, settledMs: null })
})

test('progress comes back from what is stored as it was', () => {
  const ms = fc.oneof(fc.constant(Number.NEGATIVE_INFINITY), fc.nat(2 ** 42))
  const progress = fc.record({ newestMs: ms, settledMs: fc.option(ms) })
  fc.assert(
    fc.property(progress, (one) => {
      const stored = cursorRecord.encode(withProgress(begun, one))
      expect(progressOf(cursorRecord.decode(Buffer.from(stored)))).toEqual(one)
    }),
  )
})

test('what is dated before 1970 is read again after a restart, never skipped', () => {
  const cursor = withProgress(begun, { newestMs: -5_000, settledMs: -5_000 })
  expect(progressOf(cursor)).toEqual({
    newestMs: Number.NEGATIVE_INFINITY,
    settledMs: Number.NEGATIVE_INFINITY,
  })
})

test('the epoch of another scope is dead when the next begins', () => {
  const next = beginCursor({
    clusterUuid: 'c',
    index: 'flights',
    indexUuid: 'u',
    scope: 'timestamp/at/1',
    epoch: 200,
    before: { ...begun, deadEpochs: [50] },
  })
  expect(next.deadEpochs).toEqual([50, 100])
})
