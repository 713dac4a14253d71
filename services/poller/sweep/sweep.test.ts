import type { ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { storedCursor } from '@freshet/records/cursor.kit.ts'
import type { Cursor, ShardIdentity } from '@freshet/records/cursor.ts'
import { describe, expect, test } from 'vitest'
import type { TrackedShard } from '../sharing/tracked-shard.ts'
import { indicesKept } from './dead-epochs.ts'
import { newSweep, step } from './sweep.ts'
import type { Effect, Event, Limits, Sweep, Why } from './sweep-state.ts'

const identity: ShardIdentity = {
  indexUuid: 'u',
  historyUuid: 'h',
  node: 'n1',
  allocationId: 'a',
  primaryTerm: 3,
}
const limits: Limits = {
  pauseMs: 60_000,
  maxAgeMs: 3_600_000,
  maxTableBytes: 1_000,
  isKeyInDocument: false,
  isKeyOfOneIndex: true,
  scope: 's',
  settleMs: 60_000,
  storeMs: 90_000,
}
const START_MS = 1_000_000

interface Shape {
  readonly name?: string
  readonly cursor?: Partial<Cursor>
  readonly view?: Partial<ShardView>
  readonly tracked?: Partial<TrackedShard>
}

/** Captured up to 10 of 10, never swept. */
function tracked({ name = 'u/0', cursor = {}, view = {}, tracked: more = {} }: Shape = {}): TrackedShard {
  return {
    key: name,
    partition: 0,
    cursor: storedCursor({ identity, epoch: 100, seqNo: 10, ...cursor }),
    view: { index: 'i', shard: 0, identity, globalCheckpoint: 10, maxSeqNo: 10, deleteTotal: 4, ...view },
    isGone: false,
    hasCompletedFirstScan: true,
    ...more,
  }
}

const looked = (shards: readonly TrackedShard[], nowMs = START_MS): Event => ({
  kind: 'looked',
  nowMs,
  shards,
})
const scanned = (tableBytes: number | null = 100, nowMs = START_MS): Event => ({
  kind: 'scanned',
  nowMs,
  tableBytes,
})
const marked: Event = { kind: 'marked', nowMs: START_MS }
const stored = (isReached = true, nowMs = START_MS): Event => ({ kind: 'stored', nowMs, isReached })
const joined = (...tied: string[]): Event => ({ kind: 'joined', nowMs: START_MS, tied: new Set(tied) })
const finished: Event = { kind: 'finished', nowMs: START_MS }
const failed: Event = { kind: 'failed', nowMs: START_MS }

function feed(state: Sweep, ...events: readonly Event[]): readonly [Sweep, Effect] {
  let effect: Effect = { kind: 'rest', forMs: 0 }
  for (const event of events) [state, effect] = step(state, event, limits)
  return [state, effect]
}

const resting = newSweep()[0]
const start = (...events: readonly Event[]) => feed(resting, ...events)
const rests = { kind: 'rest', forMs: expect.any(Number) }
const givenUp = (why: Why): Effect => ({
  kind: 'finish',
  swept: [],
  forget: [],
  left: [{ index: 'i', shard: 0, why }],
  waiting: [],
})

describe('a shard is swept', () => {
  test('when it never was, when deletes were counted, and when the last time is long ago', () => {
    const sweptBefore = (sweep: Cursor['sweep']) => start(looked([tracked({ cursor: { sweep } })]))[1]
    expect(start(looked([tracked()]))[1].kind).toBe('scan')
    expect(sweptBefore({ deleteTotal: 3, sweptAtMs: START_MS }).kind).toBe('scan')
    expect(sweptBefore({ deleteTotal: 4, sweptAtMs: START_MS - limits.maxAgeMs }).kind).toBe('scan')
  })

  test('not at all while it is idle: no delete was counted, and it was swept under this identity', () => {
    const idle = tracked({ cursor: { sweep: { deleteTotal: 4, sweptAtMs: START_MS - 1 } } })
    expect(start(looked([idle]))[1]).toEqual(rests)
  })

  test('after any operation where keys are a field of the document, since a key can change without a delete', () => {
    const swept = tracked({ cursor: { sweep: { deleteTotal: 11, sweptAtMs: START_MS } } })
    const written = tracked({ cursor: swept.cursor, view: { maxSeqNo: 11 } })
    const kindOf = (shard: TrackedShard) =>
      step(resting, looked([shard]), { ...limits, isKeyInDocument: true })[1].kind
    expect(kindOf(swept)).toBe('rest')
    expect(kindOf(written)).toBe('scan')
  })

  test('not while it is captured under another scope, in which other documents live', () => {
    expect(start(looked([tracked({ cursor: { scope: 'of before' } })]))[1]).toEqual(rests)
  })

  test('only once its first scan is captured, and under the identity that is captured', () => {
    const early = tracked({ tracked: { hasCompletedFirstScan: false } })
    const moved = tracked({ view: { identity: { ...identity, primaryTerm: 4 } } })
    const away = tracked({ tracked: { view: undefined } })
    expect(start(looked([early, moved, away]))[1]).toEqual(rests)
  })

  test('after others that have waited longer, as far as memory goes; the first whatever it takes', () => {
    const sweptAt = (sweptAtMs: number) => ({ sweep: { deleteTotal: 0, sweptAtMs } })
    const a = tracked({ name: 'a', cursor: sweptAt(5) })
    const b = tracked({ name: 'b', cursor: sweptAt(3) })
    const c = tracked({ name: 'c', cursor: sweptAt(4) })
    const [first, effect] = start(looked([a, b, c]))
    expect(effect).toMatchObject({ kind: 'scan', target: { key: 'b' }, maxTableBytes: null })
    const [second, next] = feed(first, scanned(400))
    expect(next).toMatchObject({ kind: 'scan', target: { key: 'c' }, maxTableBytes: 600 })
    expect(feed(second, scanned(null), looked([a, b, c]), marked, stored())[1]).toMatchObject({
      kind: 'join',
      targets: [{ key: 'b' }],
    })
  })
})

describe('between the scan and its tombstones', () => {
  const [scannedState] = start(looked([tracked()]), scanned())

  test('the checkpoint passes what the primary had after the last page', () => {
    const lagging = tracked({ view: { globalCheckpoint: 12, maxSeqNo: 15 } })
    const [waiting, effect] = feed(scannedState, looked([lagging]))
    expect(effect).toEqual({ kind: 'look', afterMs: 500, withCursors: false })
    const later = (globalCheckpoint: number) =>
      feed(waiting, looked([tracked({ view: { globalCheckpoint, maxSeqNo: 99 } })]))[1].kind
    expect(later(14)).toBe('look')
    expect(later(15)).toBe('mark')
  })

  test('a delete that a failover rolls back buries no document: under another primary the sweep is given up', () => {
    for (const change of [{ primaryTerm: 4 }, { node: 'n2' }, { allocationId: 'b' }, { historyUuid: 'i' }]) {
      const moved = { ...identity, ...change }
      const waiting = tracked({ view: { maxSeqNo: 15 } })
      const [state, effect] = feed(
        scannedState,
        looked([waiting]),
        looked([tracked({ view: { identity: moved, globalCheckpoint: 99 } })]),
      )
      expect(effect).toEqual(givenUp('moved'))
      expect(feed(state, finished)[0].setbacks).toBe(1)
    }
  })

  test('a shard that is captured under another epoch, or by another poller, is given up', () => {
    expect(feed(scannedState, looked([tracked({ cursor: { epoch: 200 } })]))[1]).toEqual(givenUp('moved'))
    expect(feed(scannedState, looked([]))[1]).toEqual(givenUp('moved'))
  })

  test('a primary that cannot be read is waited for; when it is back as it was, the sweep goes on', () => {
    const away = tracked({ tracked: { view: undefined } })
    const [waiting, effect] = feed(scannedState, looked([away]))
    expect(effect.kind).toBe('look')
    expect(feed(waiting, looked([tracked()]))[1].kind).toBe('mark')
    expect(feed(waiting, looked([away], START_MS + limits.settleMs))[1]).toEqual(givenUp('unsettled'))
  })
})

describe('a sweep is final', () => {
  const behind = tracked({ cursor: { seqNo: 9 } })
  const [settled] = start(looked([behind]), scanned(), looked([tracked()]))

  test('when the snapshot holds what was captured up to its start', () => {
    const [scannedState] = start(looked([behind]), scanned())
    expect(feed(scannedState, looked([behind]))[1].kind).toBe('look')
    expect(feed(settled, marked, stored(), joined())[1]).toEqual({
      kind: 'finish',
      swept: [
        {
          key: 'u/0',
          event: { kind: 'swept', identity, deleteTotal: 4, sweptAtMs: START_MS, buriedEpochs: [] },
        },
      ],
      forget: [],
      left: [],
      waiting: [],
    })
  })

  test('else it deletes what it finds, stays due, and tries ever more patiently', () => {
    const late = START_MS + limits.storeMs
    expect(feed(settled, marked, stored(false))[1]).toEqual({ kind: 'checkStored', afterMs: 1_000 })
    const [joining, effect] = feed(settled, marked, stored(false, late))
    expect(effect).toMatchObject({
      kind: 'join',
      isComplete: false,
      targets: [{ key: 'u/0', checkpoint: 10 }],
    })
    const [finishing, finish] = feed(joining, joined())
    expect(finish).toEqual(givenUp('notStored'))
    const [state] = feed(finishing, finished)
    expect(state).toMatchObject({ setbacks: 1, notBeforeMs: START_MS + limits.pauseMs })
    expect(feed({ ...state, setbacks: 3 }, failed)[0].notBeforeMs).toBe(START_MS + 8 * limits.pauseMs)
  })

  test('not for a shard with a row that no tombstone outranks yet', () => {
    const written = looked([tracked({ view: { globalCheckpoint: 12, maxSeqNo: 12 } })])
    const [joining] = start(looked([tracked()]), scanned(), written, marked, stored())
    expect(feed(joining, joined('u/0'))[1]).toEqual(givenUp('tied'))
  })

  test('for the other shards of the round all the same, and then the next is not put off', () => {
    const [a, b] = [tracked({ name: 'a' }), tracked({ name: 'b' })]
    const written = tracked({ name: 'b', view: { globalCheckpoint: 12, maxSeqNo: 12 } })
    const [finishing, effect] = start(
      ...[looked([a, b]), scanned(), scanned(), looked([a, written]), marked, stored(), joined('b')],
    )
    expect(effect).toMatchObject({ swept: [{ key: 'a' }], left: [{ why: 'tied' }] })
    const [state] = feed(finishing, finished)
    expect(state).toMatchObject({ setbacks: 0, notBeforeMs: START_MS + limits.pauseMs })
  })

  /** Under a filter with `now` the last document may leave the scope without a write, and its row ties for ever. */
  test('where a filter lets the last document go and nothing was written since: that one waits, the sweep ends', () => {
    const [finishing, effect] = feed(settled, marked, stored(), joined('u/0'))
    expect(effect).toMatchObject({
      swept: [{ key: 'u/0' }],
      left: [],
      waiting: [{ index: 'i', shard: 0 }],
    })
    expect(feed(finishing, finished)[0].setbacks).toBe(0)
  })

  test('and the next begins after a pause, the longer the more this one worked', () => {
    const [state] = feed(
      resting,
      looked([tracked()]),
      scanned(100, START_MS + 50_000),
      looked([tracked()], START_MS + 100_000),
      { kind: 'marked', nowMs: START_MS + 100_000 },
      stored(true, START_MS + 200_000),
      { kind: 'joined', nowMs: START_MS + 210_000, tied: new Set() },
      { kind: 'finished', nowMs: START_MS + 210_000 },
    )
    expect(state).toMatchObject({ setbacks: 0, notBeforeMs: START_MS + 210_000 + 4 * 60_000 })
    expect(feed(state, looked([tracked()], START_MS + 210_001))[1]).toEqual({ kind: 'rest', forMs: 1_000 })
  })

  test('but never for long: a process that was frozen seems to have worked all the time', () => {
    const hourMs = 3_600_000
    const [state] = feed(
      resting,
      looked([tracked()]),
      scanned(100, START_MS + hourMs),
      looked([tracked()], START_MS + hourMs),
      { kind: 'marked', nowMs: START_MS + hourMs },
      stored(true, START_MS + hourMs),
      { kind: 'joined', nowMs: START_MS + hourMs, tied: new Set() },
      { kind: 'finished', nowMs: START_MS + hourMs },
    )
    expect(state.notBeforeMs).toBe(START_MS + hourMs + 600_000)
  })
})

describe('a dead epoch is buried', () => {
  const anew = tracked({ cursor: { deadEpochs: [90, 95] } })
  const gone = tracked({
    name: 'g/0',
    cursor: { epoch: 120, seqNo: -1, deadEpochs: [80] },
    tracked: { isGone: true, view: undefined },
  })
  const swept = tracked({ cursor: { sweep: { deleteTotal: 4, sweptAtMs: START_MS } } })

  test('with the shard that had it, and is out of the cursor then', () => {
    const [joining, join] = start(looked([anew]), scanned(), looked([anew]), marked, stored())
    expect(join).toMatchObject({ kind: 'join', deadEpochs: [90, 95] })
    expect(feed(joining, joined())[1]).toMatchObject({ swept: [{ event: { buriedEpochs: [90, 95] } }] })
  })

  test('with its index that is gone, whose shard is forgotten then', () => {
    const [joining, join] = start(looked([swept, gone]), looked([swept, gone]), marked, stored())
    expect(join).toMatchObject({ kind: 'join', targets: [], deadEpochs: [80] })
    expect(feed(joining, joined())[1]).toMatchObject({
      swept: [{ key: 'g/0', event: { buriedEpochs: [80] } }],
      forget: ['g/0'],
    })
  })

  test('not before everything that lives is captured under its new epoch, and stored', () => {
    const early = tracked({ tracked: { hasCompletedFirstScan: false } })
    expect(start(looked([early, gone]))[1]).toEqual(rests)
    const meanwhile = start(looked([swept, gone]), looked([early, gone]), marked, stored())
    expect(meanwhile[1]).toEqual(givenUp('unsettled'))
    const late = stored(false, START_MS + limits.storeMs)
    expect(start(looked([anew]), scanned(), looked([anew]), marked, late)[1]).toMatchObject({
      deadEpochs: [],
    })
  })
})

describe('where indices may share keys, what a gone index had', () => {
  const shared = { ...limits, isKeyOfOneIndex: false }
  const gone = tracked({
    name: 'g/0',
    cursor: { epoch: 120, deadEpochs: [80], identity: { ...identity, indexUuid: 'g' } },
    tracked: { isGone: true, view: undefined },
  })
  const livesUnder = (epoch: number) =>
    tracked({ cursor: { epoch, sweep: { deleteTotal: 4, sweptAtMs: START_MS } } })

  const feedShared = (...events: readonly Event[]) => {
    let state = resting
    let effect: Effect = { kind: 'rest', forMs: 0 }
    for (const event of events) [state, effect] = step(state, event, shared)
    return [state, effect] as const
  }
  const asked: Effect = { kind: 'look', afterMs: 0, withCursors: true }
  /** With what another poller captures under this epoch. */
  const beside = (shards: readonly TrackedShard[], epoch: number): Event => {
    const { cursor } = tracked({ cursor: { epoch, identity: { ...identity, indexUuid: 'another' } } })
    return { kind: 'looked', nowMs: START_MS, shards, cursors: new Map([['another/0', cursor]]) }
  }

  test('is deleted when all that may have the key outranks it', () => {
    const shards = [livesUnder(81), gone]
    const [, effect] = feedShared(
      ...[looked(shards), beside(shards, 82), looked(shards), beside(shards, 82), marked, stored()],
    )
    expect(effect).toMatchObject({ kind: 'join', deadEpochs: [80] })
  })

  test('stays when an index that was met before it lives, whose documents it would bury for ever', () => {
    const shards = [livesUnder(79), gone]
    expect(step(resting, looked(shards), shared)[1]).toEqual(rests)
    expect(indicesKept({ shards }, shared)).toEqual(new Set(['i']))
  })

  test('stays as well when another poller captures that index, and is looked at ever less often', () => {
    const shards = [livesUnder(81), gone]
    expect(feedShared(looked(shards))[1]).toEqual(asked)
    const [state, effect] = feedShared(looked(shards), beside(shards, 79))
    expect(effect).toEqual(rests)
    expect(state.setbacks).toBe(1)
  })

  test('stays when another poller begins with such an index during the sweep', () => {
    const shards = [livesUnder(81), gone]
    const begun = [looked(shards), beside(shards, 82)]
    expect(feedShared(...begun, looked(shards))[1]).toEqual(asked)
    expect(feedShared(...begun, looked(shards), beside(shards, 79))[1]).toMatchObject({
      kind: 'finish',
      swept: [],
      forget: [],
    })
  })

  test('is not held up by what this poller no longer captures itself', () => {
    const shards = [livesUnder(81), gone]
    const { cursor } = gone
    const ofOurs = { ...cursor, epoch: 70, identity: { ...identity, indexUuid: 'x' } }
    const cursors = new Map([['g/0', ofOurs]])
    const captured: Event = { kind: 'looked', nowMs: START_MS, shards, cursors }
    expect(feedShared(looked(shards), captured)[1].kind).toBe('look')
  })
})

test('a failure ends the sweep wherever it is, and it begins again after a pause', () => {
  const events = [looked([tracked()]), scanned(), looked([tracked()]), marked, stored(), joined()]
  for (let reached = 1; reached <= events.length; reached++) {
    const [state, effect] = start(...events.slice(0, reached), failed)
    expect(effect).toEqual({ kind: 'rest', forMs: 0 })
    expect(feed(state, looked([tracked()], START_MS + limits.pauseMs))[1].kind).toBe('scan')
  }
})
