import type { ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { storedCursor } from '@freshet/records/cursor.kit.ts'
import { type Cursor, cursorKey } from '@freshet/records/cursor.ts'
import { expect, test } from 'vitest'
import { capturedOf, Epochs } from './verify-epochs.ts'

const identity = { indexUuid: 'u1', historyUuid: 'h1', node: 'n', allocationId: 'a', primaryTerm: 1 }
const view: ShardView = {
  index: 'flights',
  shard: 0,
  identity,
  globalCheckpoint: 9,
  maxSeqNo: 9,
  deleteTotal: 0,
}
const cursor = (parts: Partial<Cursor> = {}) =>
  storedCursor({ index: 'flights', identity, epoch: 100, seqNo: 7, ...parts })
const cursors = (...all: Cursor[]) =>
  new Map(all.map((one) => [cursorKey(one.identity.indexUuid, one.shard), one]))

test('a shard is captured under the epoch of its cursor, whoever holds the primary now', () => {
  const moved = cursor({ identity: { ...identity, node: 'other', primaryTerm: 2 } })
  expect(capturedOf(cursors(moved), view, 's')).toEqual({ epoch: 100, seqNo: 7 })
})

test('a cursor of another history or another scope is none: the poller begins anew', () => {
  const restored = cursor({ identity: { ...identity, historyUuid: 'h2' } })
  expect(capturedOf(cursors(restored), view, 's')).toBeNull()
  expect(capturedOf(cursors(cursor()), view, 'another filter')).toBeNull()
  expect(capturedOf(new Map(), view, 's')).toBeNull()
})

test('an index that is gone keeps its scores for a while, what no cursor knows does not live', () => {
  const old = cursor({
    index: 'old',
    identity: { ...identity, indexUuid: 'u0' },
    epoch: 50,
    deadEpochs: [40],
  })
  const epochs = new Epochs(cursors(cursor(), old))
  expect(epochs.gone({ indexUuids: new Set(['u1']) })).toEqual(['old'])
  expect([epochs.lowestLive('flights'), epochs.lowestLive()]).toEqual([100, 50])
  expect(epochs.lowestLive('never heard of')).toBe(Number.POSITIVE_INFINITY)
  expect([100, 50, 40, 30].map((epoch) => epochs.isLive(epoch))).toEqual([true, true, false, false])
})
