import type { ShardIdentity } from '@freshet/records/cursor.ts'
import { describe, expect, test } from 'vitest'
import { FIXED_LIMITS, newCapture, step } from './capture.ts'
import type { Capture, Effect, Event } from './capture-state.ts'

const identity: ShardIdentity = {
  indexUuid: 'u',
  historyUuid: 'h',
  node: 'n1',
  allocationId: 'a',
  primaryTerm: 1,
}
const limits = { ...FIXED_LIMITS, pageRows: 3, maxPageBytes: 16 * 1024 * 1024, maxPagesInFlight: 2 }

/** Feeds events and returns the last state with the effects of the last event. */
function feed(state: Capture, ...events: readonly Event[]): [Capture, readonly Effect[]] {
  let effects: readonly Effect[] = []
  for (const event of events) [state, effects] = step(state, event, limits)
  return [state, effects]
}

function observed(globalCheckpoint: number, more: Partial<Extract<Event, { kind: 'observed' }>> = {}): Event {
  return {
    kind: 'observed',
    identity,
    globalCheckpoint,
    maxSeqNo: globalCheckpoint,
    scope: 's',
    newEpoch: 100,
    ...more,
  }
}

const hits = (...seqNos: readonly number[]): Event => ({
  kind: 'page',
  hits: seqNos.map((seqNo) => ({ id: `d${seqNo}`, seqNo })),
})
const tooLarge: Event = { kind: 'pageTooLarge' }
const acked = (throughSeqNo: number, nowMs = 1): Event => ({ kind: 'acked', throughSeqNo, nowMs })
const saved: Event = { kind: 'saved' }
const refreshed: Event = { kind: 'refreshed' }

/** Captured up to `seqNo`, idle, with its last window still open. */
function capturedTo(seqNo: number): Capture {
  return feed(newCapture('i', 0), observed(seqNo), saved, refreshed, hits(seqNo), acked(seqNo), saved)[0]
}

describe('a shard', () => {
  test('gets an epoch that is on disk before anything is read', () => {
    const [state, effects] = feed(newCapture('i', 0), observed(5))
    expect(effects).toEqual([{ kind: 'save', cursor: state.cursor }])
    expect(state.cursor).toMatchObject({ epoch: 100, seqNo: -1, identity })
    expect(feed(state, saved)[1]).toEqual([{ kind: 'refresh' }])
  })

  test('is read up to the checkpoint and no further, holes included', () => {
    const [reading, effects] = feed(newCapture('i', 0), observed(9), saved, refreshed)
    expect(effects).toMatchObject([{ kind: 'readPage', from: { seqNo: -1, inclusive: false }, toSeqNo: 9 }])
    const [done] = feed(reading, hits(2, 4), acked(9), saved)
    expect(done.cursor.seqNo).toBe(9)
  })

  test('goes on inclusively after a full page, since numbers repeat in a shrunk index', () => {
    const [state, effects] = feed(newCapture('i', 0), observed(9), saved, refreshed, hits(1, 2, 3))
    expect(effects).toMatchObject([
      { kind: 'readPage', from: { seqNo: 3, inclusive: true } },
      { kind: 'produce', throughSeqNo: 2 },
    ])
    const twin: Event = {
      kind: 'page',
      hits: [
        { id: 'd3', seqNo: 3 },
        { id: 'twin', seqNo: 3 },
      ],
    }
    expect(feed(state, twin)[1]).toMatchObject([{ kind: 'produce', skip: new Set([0]), throughSeqNo: 9 }])
  })

  test('asks for one row more than it has read of a number, so every page brings something new', () => {
    const one = { ...limits, pageRows: 1 }
    const twins = (...ids: readonly string[]): Event => ({
      kind: 'page',
      hits: ids.map((id) => ({ id, seqNo: 3 })),
    })
    let state = newCapture('i', 0)
    const asked: number[] = []
    for (const event of [observed(9), saved, refreshed, twins('a'), twins('a', 'b'), twins('a', 'b', 'c')]) {
      const [next, effects] = step(state, event, one)
      state = next
      for (const effect of effects) if (effect.kind === 'readPage') asked.push(effect.rows)
      if (effects.some(({ kind }) => kind === 'produce')) state = step(state, acked(2), one)[0]
    }
    expect(asked).toEqual([1, 2, 3, 4])
  })

  test('asks for the same with fewer rows when a page is too large, and for one row without any bound', () => {
    const heavy = { ...limits, pageRows: 9, maxPageBytes: 900 }
    const start = [observed(99), saved, refreshed] as const
    let [state, effects] = [newCapture('i', 0), [] as readonly Effect[]]
    const asked: object[] = []
    for (const event of [...start, tooLarge, tooLarge, { ...hits(5), bytes: 2_000 }]) {
      ;[state, effects] = step(state, event, heavy)
      asked.push(...effects.filter(({ kind }) => kind === 'readPage'))
    }
    const from = { seqNo: -1, inclusive: false }
    expect(asked).toMatchObject([
      { rows: 9, maxBytes: 900, from },
      { rows: 2, maxBytes: 900, from },
      { rows: 1, maxBytes: Number.POSITIVE_INFINITY, from },
      { rows: 2, maxBytes: Number.POSITIVE_INFINITY, from: { seqNo: 5, inclusive: true } },
    ])
  })

  test('remembers in its next scan how many rows the index allows', () => {
    const allows = { kind: 'pageTooLarge', maxRows: 2 } as const
    const [state, effects] = feed(newCapture('i', 0), observed(5), saved, refreshed, allows)
    expect(effects).toMatchObject([{ kind: 'readPage', rows: 2 }])
    const [, later] = feed(state, hits(5), acked(5), saved, observed(9), refreshed)
    expect(later).toMatchObject([{ kind: 'readPage', rows: 2 }])
  })

  test('does not read a third page while two wait for Kafka', () => {
    const [state, effects] = feed(
      newCapture('i', 0),
      observed(99),
      saved,
      refreshed,
      hits(1, 2, 3),
      hits(3, 4, 5, 6),
    )
    expect(effects).toMatchObject([{ kind: 'produce' }])
    expect(feed(state, acked(2))[1]).toMatchObject([{ kind: 'readPage' }])
  })

  test('is at what every older page is acknowledged to, whichever acknowledgement comes first', () => {
    const late = (throughSeqNo: number) => acked(throughSeqNo, 5_000)
    const [state] = feed(newCapture('i', 0), observed(99), saved, refreshed, hits(1, 2, 3), hits(3, 4, 5, 6))
    expect(feed(state, late(5))[0].cursor.seqNo).toBe(-1)
    expect(feed(state, late(2))[0].cursor.seqNo).toBe(2)
    expect(feed(state, late(5), late(2))[0].cursor.seqNo).toBe(2)
  })

  test('keeps its cursor when anything fails, and reads the same again', () => {
    const [state] = feed(capturedTo(5), observed(9), refreshed, { kind: 'failed' })
    expect(state.cursor.seqNo).toBe(5)
    expect(feed(state, observed(9), refreshed)[1]).toMatchObject([
      { kind: 'readPage', from: { seqNo: 5, inclusive: false } },
    ])
  })

  test('keeps its cursor when a new primary knows an older checkpoint for a moment', () => {
    expect(feed(capturedTo(5), observed(3))).toMatchObject([{ cursor: { seqNo: 5 } }, []])
  })
})

describe('the rewind', () => {
  test('reads an open window again when the primary changes, in one write with the identity', () => {
    const [state, effects] = feed(capturedTo(5), observed(5, { identity: { ...identity, primaryTerm: 2 } }))
    expect(effects).toEqual([{ kind: 'save', cursor: state.cursor }])
    expect(state.cursor).toMatchObject({ seqNo: -1, windows: [], identity: { primaryTerm: 2 }, epoch: 100 })
  })

  test('leaves out what the checkpoint has passed', () => {
    const [state] = feed(
      capturedTo(5),
      observed(5, { maxSeqNo: 5 }),
      observed(5, { identity: { ...identity, node: 'n2' } }),
    )
    expect(state.cursor.seqNo).toBe(5)
  })

  test('still reaches back while operations above the checkpoint may hide older versions', () => {
    const [state] = feed(
      capturedTo(5),
      observed(5, { maxSeqNo: 8 }),
      observed(5, { identity: { ...identity, node: 'n2' } }),
    )
    expect(state.cursor.seqNo).toBe(-1)
  })

  test('a new history starts a new epoch at the beginning', () => {
    const [state] = feed(
      capturedTo(5),
      observed(3, { identity: { ...identity, historyUuid: 'h2' }, newEpoch: 200 }),
    )
    expect(state.cursor).toMatchObject({ epoch: 200, seqNo: -1, windows: [] })
  })

  test('survives a failed write of the new identity: it is written before anything is read under it', () => {
    const moved = observed(9, { identity: { ...identity, primaryTerm: 2 } })
    const [, effects] = feed(capturedTo(5), moved, { kind: 'failed' }, moved)
    expect(effects).toMatchObject([{ kind: 'save' }])
  })
})

describe('an epoch dies', () => {
  test('on disk, with the new one and before anything is read under it', () => {
    const [state, effects] = feed(
      capturedTo(5),
      observed(3, { identity: { ...identity, historyUuid: 'h2' }, newEpoch: 200 }),
    )
    expect(state.cursor).toMatchObject({ epoch: 200, deadEpochs: [100] })
    expect(effects).toEqual([{ kind: 'save', cursor: state.cursor }])
  })

  test('also that of another poller, once ours is above it', () => {
    const [state] = feed(capturedTo(5), { kind: 'foreign', epoch: 150 }, observed(5, { newEpoch: 200 }))
    expect(state.cursor).toMatchObject({ epoch: 200, seqNo: -1, deadEpochs: [100, 150] })
  })

  test('when its index is gone; one that comes back is read anew, above what is buried', () => {
    const [state, effects] = feed(capturedTo(5), { kind: 'gone', newEpoch: 200 })
    expect(state.cursor).toMatchObject({ epoch: 200, seqNo: -1, deadEpochs: [100], sweep: null })
    expect(effects).toEqual([{ kind: 'save', cursor: state.cursor }])
    const [back] = feed(state, saved, observed(5), refreshed, hits(2))
    expect(back.phase).toMatchObject({ kind: 'scanning', targetSeqNo: 5 })
  })

  test('also that of another poller below ours, which may have left rows', () => {
    const [state] = feed(capturedTo(5), { kind: 'foreign', epoch: 50 }, { kind: 'foreign', epoch: 50 })
    expect(state.cursor).toMatchObject({ epoch: 100, seqNo: 5, deadEpochs: [50] })
  })

  test('when its index is gone, also that of another poller that was not yet outranked', () => {
    const [state] = feed(capturedTo(5), { kind: 'foreign', epoch: 150 }, { kind: 'gone', newEpoch: 200 })
    expect(state).toMatchObject({ cursor: { epoch: 200, deadEpochs: [100, 150] }, outrankedBy: [] })
  })

  test('and is forgotten when a sweep has deleted what was left of it', () => {
    const swept = { kind: 'swept', identity, deleteTotal: 7, sweptAtMs: 9, buriedEpochs: [100] } as const
    const [state] = feed(
      capturedTo(5),
      { kind: 'foreign', epoch: 150 },
      observed(5, { newEpoch: 200 }),
      saved,
      swept,
    )
    expect(state.cursor).toMatchObject({ deadEpochs: [150], sweep: { deleteTotal: 7, sweptAtMs: 9 } })
  })
})

describe('a scan that makes room for others', () => {
  const reading = () => feed(newCapture('i', 0), observed(9), saved, refreshed, hits(1, 2, 3))[0]
  const yields: Event = { kind: 'yield' }

  test('reads no further, and its cursor stands below the last number, which more documents may have', () => {
    const [waiting, nothing] = feed(reading(), yields)
    expect(nothing).toEqual([])
    const [kept, effects] = feed(waiting, hits(3, 4, 5, 6), acked(2))
    expect(effects).toEqual([])
    const [ended, saves] = feed(kept, acked(5))
    expect(saves).toMatchObject([{ kind: 'save', cursor: { seqNo: 5 } }])
    const [idle] = feed(ended, saved)
    expect(idle.phase.kind).toBe('idle')
    expect(idle.cursor.windows).toEqual([{ startSeqNo: -1, highSeqNo: null }])
    const [, again] = feed(idle, observed(9), refreshed)
    expect(again).toMatchObject([{ kind: 'readPage', from: { seqNo: 5, inclusive: false } }])
  })

  test('ends at its target when its last page was the last', () => {
    const [, effects] = feed(reading(), yields, hits(3, 4), acked(2), acked(9))
    expect(effects).toMatchObject([{ kind: 'save', cursor: { seqNo: 9 } }])
  })

  test('and has read nothing yet ends as it began', () => {
    const begun = feed(newCapture('i', 0), observed(9), saved, refreshed)[0]
    const [state, effects] = feed(begun, yields, { kind: 'pageTooLarge' })
    expect(effects).toEqual([])
    expect(state.phase.kind).toBe('idle')
    expect(state.cursor.seqNo).toBe(-1)
  })
})
