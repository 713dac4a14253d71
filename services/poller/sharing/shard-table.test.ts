import type { ShardsView, ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { storedCursor } from '@freshet/records/cursor.kit.ts'
import type { Cursor } from '@freshet/records/cursor.ts'
import { TOPICS } from '@freshet/records/topics.ts'
import { describe, expect, test } from 'vitest'
import { FIXED_LIMITS, step } from '../capture/capture.ts'
import type { Capture, Event } from '../capture/capture-state.ts'
import { cursorPartition } from './cursor-partition.ts'
import { ShardTable } from './shard-table.ts'

const KEY = 'u/0'
const PARTITION = cursorPartition(KEY)
const LIMITS = { ...FIXED_LIMITS, pageRows: 10, maxPageBytes: 1_000 }
const identity = { indexUuid: 'u', historyUuid: 'h', node: 'n', allocationId: 'a', primaryTerm: 1 }

const shardView = (changes: Partial<ShardView> = {}): ShardView => ({
  index: 'i',
  shard: 0,
  identity,
  globalCheckpoint: 5,
  maxSeqNo: 5,
  deleteTotal: 0,
  ...changes,
})

const viewOf = (readable: readonly ShardView[], changes: Partial<ShardsView> = {}): ShardsView => ({
  clusterUuid: 'c',
  readable,
  unreadable: [],
  closed: [],
  indexUuids: new Set(readable.map((shard) => shard.identity.indexUuid)),
  ...changes,
})

/** A table that holds the partition of `u/0`, with what `.cursors` had of it. */
function open(...records: readonly (Cursor | null)[]) {
  const table = new ShardTable()
  const read = (cursor: Cursor | null) => table.read(PARTITION, KEY, cursor)
  const see = (view: ShardsView, nowMs = 0, look = table.beginLook()) =>
    table.see(view, look, { nowMs, isCapturable: () => true })
  table.assign(PARTITION)
  for (const cursor of records) read(cursor)
  table.know(PARTITION)
  return { table, read, see, shard: () => table.get(KEY)! }
}

const fed = (state: Capture, event: Event) => step(state, event, LIMITS)[0]

const observed = (view: ShardView, newEpoch = 2_000): Event => {
  const { globalCheckpoint, maxSeqNo } = view
  return { kind: 'observed', identity: view.identity, globalCheckpoint, maxSeqNo, scope: 's', newEpoch }
}

describe('a partition of cursors', () => {
  test('is captured only once all that it held is read', () => {
    const table = new ShardTable()
    table.assign(PARTITION)
    table.read(PARTITION, KEY, storedCursor())
    const look = table.beginLook()
    table.see(viewOf([shardView()]), look, { nowMs: 0, isCapturable: () => true })
    expect([...table.shards()]).toEqual([])
    expect(table.partitions()).toEqual(new Set())
    table.know(PARTITION)
    expect([...table.shards()].map(({ key }) => key)).toEqual([KEY])
    expect(table.needsLook(0)).toBe(true)
  })

  test('that is not held is captured by somebody else', () => {
    const table = new ShardTable()
    for (let partition = 0; partition < TOPICS.cursors.partitions; partition++)
      if (partition !== PARTITION) {
        table.assign(partition)
        table.know(partition)
      }
    table.see(viewOf([shardView()]), table.beginLook(), { nowMs: 0, isCapturable: () => true })
    expect([...table.shards()]).toEqual([])
  })

  test('that is taken back stops its scans and is forgotten; what it holds when it comes again is what counts', () => {
    const { table, shard } = open(storedCursor({ seqNo: 5 }))
    const stop = new AbortController()
    shard().beginScan({ state: shard().state }, stop)
    table.revoke(PARTITION)
    expect(stop.signal.aborted).toBe(true)
    expect([...table.shards()]).toEqual([])
    table.assign(PARTITION)
    table.read(PARTITION, KEY, storedCursor({ seqNo: 9 }))
    table.know(PARTITION)
    expect(shard().cursor.seqNo).toBe(9)
  })
})

describe('of the cursors of a shard', () => {
  test('the highest epoch counts, and it is written again when it is not the last', () => {
    const { shard } = open(storedCursor({ epoch: 2_000, seqNo: 3 }), storedCursor({ epoch: 1_000, seqNo: 9 }))
    expect(shard().cursor).toMatchObject({ epoch: 2_000, seqNo: 3 })
    expect(shard().isToBeSaved).toBe(true)
  })

  test('the last of one epoch counts', () => {
    const { shard } = open(storedCursor({ seqNo: 3 }), storedCursor({ seqNo: 9 }))
    expect(shard().cursor.seqNo).toBe(9)
    expect(shard().isToBeSaved).toBe(false)
  })

  test('one that was taken out counts no more', () => {
    expect([...open(storedCursor(), null).table.shards()]).toEqual([])
  })
})

describe('another poller that wrote late', () => {
  test('under a higher epoch is outranked by the next one, and our scan is stopped', () => {
    const { table, shard, read, see } = open(storedCursor())
    const stop = new AbortController()
    shard().beginScan({ state: shard().state }, stop)
    read(storedCursor({ epoch: 5_000 }))
    expect(stop.signal.aborted).toBe(true)
    shard().endScan(shard().state, table.looksBegun)
    see(viewOf([shardView()]))
    const epoch = table.takeEpoch(PARTITION, 0)
    expect(epoch).toBeGreaterThan(5_000)
    const { cursor } = fed(shard().state, observed(shard().seen!, epoch))
    expect(cursor).toMatchObject({ epoch, seqNo: -1, deadEpochs: [1_000, 5_000] })
  })

  test('under an epoch that ours never met makes that one dead as well, whether it is above, below or was there before us', () => {
    const { shard, read } = open(
      storedCursor({ epoch: 1_000 }),
      storedCursor({ epoch: 1_016 }),
      storedCursor({ epoch: 1_032, deadEpochs: [1_000] }),
    )
    expect(shard().cursor).toMatchObject({ epoch: 1_032, deadEpochs: [1_000, 1_016] })
    read(storedCursor({ epoch: 1_024, deadEpochs: [1_008] }))
    expect(shard().cursor.deadEpochs).toEqual([1_000, 1_016, 1_008, 1_024])
    read(storedCursor({ epoch: 1_048, deadEpochs: [1_040] }))
    expect(fed(shard().state, observed(shardView())).cursor).toMatchObject({
      epoch: 2_000,
      deadEpochs: [1_000, 1_016, 1_008, 1_024, 1_032, 1_040, 1_048],
    })
  })

  test('under a lower epoch is written over: else the next owner would go on below what was emitted', () => {
    const { shard, read } = open(storedCursor({ epoch: 5_000 }))
    read(storedCursor({ epoch: 1_000 }))
    expect(shard().cursor.epoch).toBe(5_000)
    expect(shard().isToBeSaved).toBe(true)
  })

  test('under our own epoch is written over: at rest nothing else would follow it', () => {
    const { shard, read } = open(storedCursor({ seqNo: 9 }))
    read(storedCursor({ seqNo: 3 }))
    expect(shard().cursor.seqNo).toBe(9)
    expect(shard().isToBeSaved).toBe(true)
  })

  test('is written over once: our own record, read, is the last word', () => {
    const { shard, read } = open(storedCursor({ seqNo: 9 }))
    read(storedCursor({ seqNo: 3 }))
    read(storedCursor({ seqNo: 9 }))
    expect(shard().isToBeSaved).toBe(false)
  })

  test('above ours is not hidden by our cursor, which the next owner would take for the highest', () => {
    const { shard, read } = open(storedCursor())
    read(storedCursor({ epoch: 5_000 }))
    expect(shard().isToBeSaved).toBe(false)
  })

  test('and has taken our cursor out is written over', () => {
    const { shard, read } = open(storedCursor())
    read(null)
    expect(shard().isToBeSaved).toBe(true)
  })
})

describe('an epoch', () => {
  test('is never below what the partition has shown, the dead ones among it, and is given only once', () => {
    const { table } = open(storedCursor({ epoch: 9_000, deadEpochs: [9_500] }))
    const first = table.takeEpoch(PARTITION, 0)
    expect(first).toBeGreaterThan(9_500)
    expect(table.takeEpoch(PARTITION, 0)).toBeGreaterThan(first)
    expect(first % TOPICS.cursors.partitions).toBe(PARTITION)
  })
})

describe('an index', () => {
  test('that is gone dies after the grace time, and not before', () => {
    const { shard, see } = open(storedCursor())
    see(viewOf([shardView()]))
    see(viewOf([]), 1_000)
    expect(shard().isDying(60_000, 60_000)).toBe(false)
    expect(shard().isDying(61_000, 60_000)).toBe(true)
  })

  test('that comes back within the grace time was never gone', () => {
    const { shard, see } = open(storedCursor())
    see(viewOf([]), 1_000)
    see(viewOf([shardView()]), 2_000)
    see(viewOf([]), 61_000)
    expect(shard().isDying(61_000, 60_000)).toBe(false)
  })

  test('that is closed is paused, however long', () => {
    const { shard, see } = open(storedCursor())
    see(viewOf([], { closed: ['i'], indexUuids: new Set(['u']) }), 0)
    expect(shard()).toMatchObject({ view: undefined, isMissing: false, hasCompletedFirstScan: true })
    expect(shard().isDying(1e12, 0)).toBe(false)
  })

  test('that cannot be read is not gone', () => {
    const { shard, see } = open(storedCursor())
    see(viewOf([], { unreadable: ['i/0'], indexUuids: new Set(['u']) }), 0)
    expect(shard().isDying(1e12, 0)).toBe(false)
  })

  test('of the same name and another uuid does not stand for the one that is gone', () => {
    const { shard, see } = open(storedCursor())
    see(viewOf([], { closed: ['i'], indexUuids: new Set(['other']) }), 0)
    expect(shard().isDying(1_000, 1_000)).toBe(true)
  })

  test("another cluster's emptiness deletes nothing", () => {
    const { shard, see } = open(storedCursor())
    see(viewOf([], { clusterUuid: 'other' }), 0)
    expect(shard()).toMatchObject({ isMissing: false, view: undefined })
    expect(shard().isDying(1e12, 0)).toBe(false)
  })

  test('that was never captured is forgotten without a word when it goes', () => {
    const { table, see } = open()
    see(viewOf([shardView()]))
    expect([...table.shards()]).toHaveLength(1)
    see(viewOf([]))
    expect([...table.shards()]).toEqual([])
  })

  test('that cannot be captured is left alone', () => {
    const { table } = open()
    table.see(viewOf([shardView()]), table.beginLook(), { nowMs: 0, isCapturable: () => false })
    expect([...table.shards()]).toEqual([])
  })
})

describe('a cursor of the former release', () => {
  const former = () => storedCursor({ clusterUuid: '', scope: '' })

  test('makes its shard begin anew, under an epoch above its own, which is among the dead from then on', () => {
    const { shard, see } = open(former())
    see(viewOf([shardView()]))
    const [begun, effects] = step(shard().state, observed(shard().seen!), LIMITS)
    const cursor = { epoch: 2_000, deadEpochs: [1_000], seqNo: -1, scope: 's', clusterUuid: 'c', sweep: null }
    expect(begun.cursor).toMatchObject(cursor)
    expect(effects).toEqual([{ kind: 'save', cursor: begun.cursor }])
  })

  test('whose index is no more by now lets its keys be deleted, like any other', () => {
    const { shard, see } = open(former())
    see(viewOf([]))
    expect(shard().isMissing).toBe(true)
    expect(shard().isDying(1_000, 1_000)).toBe(true)
  })
})

describe('a cursor that cannot be read', () => {
  const begun = (table: ShardTable, view = shardView()) => {
    const look = table.beginLook()
    table.see(viewOf([view]), look, { nowMs: 0, isCapturable: () => true })
    const shard = table.get(KEY)!
    return step(shard.state, observed(shard.seen!, table.takeEpoch(PARTITION, 0)), LIMITS)[0].cursor
  }
  const held = (...records: readonly (Cursor | 'broken')[]) => {
    const table = new ShardTable()
    table.assign(PARTITION)
    for (const record of records)
      if (record === 'broken') table.readBroken(PARTITION, KEY)
      else table.read(PARTITION, KEY, record)
    table.know(PARTITION)
    return table
  }

  test('makes its shard begin anew above all that the partition has shown, with what is known of it among the dead', () => {
    const { epoch, deadEpochs, seqNo } = begun(
      held(storedCursor({ epoch: 9_000, deadEpochs: [7_000] }), 'broken'),
    )
    expect(epoch).toBeGreaterThan(9_000)
    expect({ deadEpochs, seqNo }).toEqual({ deadEpochs: [7_000, 9_000], seqNo: -1 })
  })

  test('and is all that is left of its shard makes that a new one', () => {
    expect(begun(held('broken'))).toMatchObject({ deadEpochs: [], seqNo: -1 })
  })

  test('says nothing once a later one follows', () => {
    expect(begun(held(storedCursor(), 'broken', storedCursor({ seqNo: 4 })))).toMatchObject({
      epoch: 1_000,
      seqNo: 4,
    })
  })

  test('is written over by whoever captures the shard', () => {
    const { table, shard } = open(storedCursor())
    table.readBroken(PARTITION, KEY)
    expect(shard().isToBeSaved).toBe(true)
    expect(shard().cursor).toEqual(storedCursor())
  })
})

describe('a look', () => {
  test('that began before a scan ended does not close its window: a rewind would miss documents', () => {
    const { table, shard, see } = open(storedCursor({ windows: [{ startSeqNo: 3, highSeqNo: null }] }))
    const early = table.beginLook()
    shard().beginScan({ state: shard().state }, new AbortController())
    shard().endScan(shard().state, table.looksBegun)
    see(viewOf([shardView()]), 0, early)
    expect(shard().seen).toBeUndefined()
    expect(shard().needsLook(0)).toBe(true)
    see(viewOf([shardView({ maxSeqNo: 7 })]))
    expect(fed(shard().state, observed(shard().seen!)).cursor.windows).toEqual([
      { startSeqNo: 3, highSeqNo: 7 },
    ])
  })

  test('that began before a cursor was read does not close the windows that it brings', () => {
    const { table, read, see } = open()
    const early = table.beginLook()
    read(storedCursor())
    see(viewOf([shardView()]), 0, early)
    expect(table.get(KEY)!.seen).toBeUndefined()
  })
})

describe('what is told while a scan runs', () => {
  test('is shown at once and decided on when the scan has ended', () => {
    const { table, shard } = open(storedCursor())
    shard().beginScan({ state: shard().state }, new AbortController())
    shard().tell({ kind: 'swept', identity, deleteTotal: 7, sweptAtMs: 9, buriedEpochs: [] })
    expect(shard().cursor.sweep).toEqual({ deleteTotal: 7, sweptAtMs: 9 })
    shard().endScan(fed(shard().state, { kind: 'failed' }), table.looksBegun)
    expect(shard().cursor.sweep).toEqual({ deleteTotal: 7, sweptAtMs: 9 })
  })

  test('an epoch that is not yet on disk is not shown: what it buries could still live', () => {
    const { shard } = open(storedCursor())
    const moved = fed(shard().state, observed(shardView({ identity: { ...identity, historyUuid: 'h2' } })))
    shard().beginScan({ state: moved }, new AbortController())
    expect(shard().cursor).toMatchObject({ epoch: 1_000, deadEpochs: [] })
    const saved = fed(moved, { kind: 'saved' })
    shard().endScan(saved, 0)
    expect(shard().cursor).toMatchObject({ epoch: 2_000, deadEpochs: [1_000] })
  })
})

test('the first scan is complete when all that was there when its epoch began is captured', () => {
  const { table, shard, see } = open(storedCursor({ seqNo: 2 }))
  see(viewOf([shardView({ globalCheckpoint: 5 })]))
  expect(shard().hasCompletedFirstScan).toBe(false)
  shard().beginScan({ state: shard().state }, new AbortController())
  const { state } = shard()
  shard().endScan({ ...state, cursor: { ...state.cursor, seqNo: 5 } }, table.looksBegun)
  see(viewOf([shardView({ globalCheckpoint: 9 })]))
  expect(shard().hasCompletedFirstScan).toBe(true)
})

test('a look that shows a history from before a restore does not set the end of the first scan', () => {
  const { shard, see } = open(storedCursor({ seqNo: 2 }))
  see(viewOf([shardView({ globalCheckpoint: 50, identity: { ...identity, historyUuid: 'before' } })]))
  see(viewOf([shardView({ globalCheckpoint: 2 })]))
  expect(shard().hasCompletedFirstScan).toBe(true)
})

test('a look in which the primary has changed counts for no sweep: it may tell what the one before had counted', () => {
  const { shard, see } = open(storedCursor())
  see(viewOf([shardView({ identity: { ...identity, primaryTerm: 2 }, deleteTotal: 3 })]))
  expect(shard().seen).toBeDefined()
  expect(shard().view).toBeUndefined()
  see(viewOf([shardView({ deleteTotal: 3 })]))
  expect(shard().view?.deleteTotal).toBe(3)
})
