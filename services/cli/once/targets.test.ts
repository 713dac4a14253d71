import type { ShardsView, ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import type { Cursor } from '@freshet/records/cursor.ts'
import { expect, test } from 'vitest'
import { asSeen, goalOf, leftOf, type Rules } from './targets.ts'

const RULES: Rules = { scope: 's1', isKeyInDocument: false, isKeyOfOneIndex: true }
const ALL = () => true

function shard(
  { shard: number = 0, checkpoint = 9, deleteTotal = 0, ...identity } = {} as ShardLike,
): ShardView {
  return {
    index: 'flights',
    shard: number,
    identity: {
      ...{ indexUuid: 'u1', historyUuid: 'h1', node: 'n1', allocationId: 'a1', primaryTerm: 1 },
      ...identity,
    },
    globalCheckpoint: checkpoint,
    maxSeqNo: checkpoint,
    deleteTotal,
  }
}

type ShardLike = Partial<ShardView['identity']> & {
  shard?: number
  checkpoint?: number
  deleteTotal?: number
}

function view(readable: readonly ShardView[], unreadable: readonly string[] = []): ShardsView {
  const indexUuids = new Set(['u1', ...readable.map(({ identity }) => identity.indexUuid)])
  return { clusterUuid: 'c1', readable, unreadable, closed: [], indexUuids }
}

function cursors(of: ShardView, cursor: Partial<Cursor> = {}): Map<string, Cursor> {
  const whole: Cursor = {
    version: 2,
    clusterUuid: 'c1',
    index: of.index,
    shard: of.shard,
    identity: of.identity,
    epoch: 5,
    seqNo: of.globalCheckpoint,
    windows: [],
    scope: 's1',
    deadEpochs: [],
    sweep: { deleteTotal: of.deleteTotal, sweptAtMs: 1 },
    ...cursor,
  }
  return new Map([[`${of.identity.indexUuid}/${of.shard}`, whole]])
}

const NOTHING_LEFT = { operations: 0, uncaptured: [], unswept: [], unread: [] }

test('a shard is done when its cursor has come to the checkpoint that it had, and its deletes were looked for', () => {
  const there = shard({ deleteTotal: 3 })
  const goal = goalOf(view([there]), RULES, ALL)
  expect(leftOf(goal, cursors(there), RULES)).toEqual(NOTHING_LEFT)
  expect(leftOf(goal, cursors(there, { seqNo: 6 }), RULES)).toMatchObject({
    operations: 3,
    uncaptured: ['flights/0'],
  })
  const sweptBefore = cursors(there, { sweep: { deleteTotal: 2, sweptAtMs: 1 } })
  expect(leftOf(goal, sweptBefore, RULES)).toMatchObject({ operations: 0, unswept: ['flights/0'] })
  expect(leftOf(goal, cursors(there, { sweep: null }), RULES)).toMatchObject({ unswept: ['flights/0'] })
})

test('what is written or deleted after the start is not waited for', () => {
  const goal = goalOf(view([shard()]), RULES, ALL)
  const later = shard({ checkpoint: 50, deleteTotal: 7 })
  const now = asSeen(goal, view([later]), RULES)
  expect(leftOf(now, cursors(later, { seqNo: 9, sweep: { deleteTotal: 0, sweptAtMs: 1 } }), RULES)).toEqual(
    NOTHING_LEFT,
  )
})

test('a cursor of another scope, history or primary says nothing', () => {
  const there = shard()
  const goal = goalOf(view([there]), RULES, ALL)
  const left = (cursor: Partial<Cursor>) => leftOf(goal, cursors(there, cursor), RULES).operations
  expect(left({ scope: 's2' })).toBe(10)
  expect(left({ identity: { ...there.identity, historyUuid: 'h2' } })).toBe(10)
  // What a failover has rolled back must be read again first.
  expect(left({ identity: { ...there.identity, primaryTerm: 2 } })).toBe(1)
})

test('under a new primary the deletes of the old one are owed by a sweep of the new one', () => {
  const goal = goalOf(view([shard({ deleteTotal: 8 })]), RULES, ALL)
  const after = shard({ primaryTerm: 2, checkpoint: 12 })
  const now = asSeen(goal, view([after]), RULES)
  expect(leftOf(now, cursors(after, { seqNo: 9, sweep: null }), RULES)).toMatchObject({
    operations: 0,
    unswept: ['flights/0'],
  })
  expect(leftOf(now, cursors(after, { seqNo: 9 }), RULES)).toEqual(NOTHING_LEFT)
})

test('a shard that cannot be read is waited for, and then captured as it is; one that is gone is not', () => {
  const goal = goalOf(view([], ['flights/0']), RULES, ALL)
  expect(leftOf(goal, new Map(), RULES)).toMatchObject({ unread: ['flights/0'] })
  expect(leftOf(asSeen(goal, view([shard()]), RULES), new Map(), RULES)).toMatchObject({
    operations: 10,
    unread: [],
  })
  const gone = { ...view([]), indexUuids: new Set<string>() }
  expect(leftOf(asSeen(goalOf(view([shard()]), RULES, ALL), gone, RULES), new Map(), RULES)).toEqual(
    NOTHING_LEFT,
  )
})

test('what capture refuses is not waited for, and an empty shard that nobody has met needs nobody', () => {
  const refused = goalOf(view([shard()], ['flights/1']), RULES, () => false)
  expect(leftOf(refused, new Map(), RULES)).toEqual(NOTHING_LEFT)
  const empty = goalOf(view([shard({ checkpoint: -1 })]), RULES, ALL)
  expect(leftOf(empty, new Map(), RULES)).toEqual(NOTHING_LEFT)
})

test('rows of a dead epoch are deletes too, unless another index may live by their keys', () => {
  const there = shard()
  const goal = goalOf(view([there]), RULES, ALL)
  const dead = cursors(there, { deadEpochs: [3] })
  expect(leftOf(goal, dead, RULES).unswept).toEqual(['flights/0'])
  const elsewhere = cursors(shard({ indexUuid: 'u2' }), { epoch: 2 })
  const shared = { ...RULES, isKeyOfOneIndex: false }
  expect(leftOf(goal, new Map([...dead, ...elsewhere]), shared).unswept).toEqual([])
})
