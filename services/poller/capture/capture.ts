/**
 * Every decision about one primary shard, without any I/O: (state, event) → state and effects.
 *
 *   observed ─► save? ─► refresh ─► readPage ⇄ page ─► produce ─► acked ─► save ─► idle
 *
 * Why it loses nothing:
 * - Nothing above the global checkpoint is emitted or passed: what lies above can be rolled back by a failover.
 * - A refresh after reading the checkpoint makes everything up to it visible; waiting for the index's own refresh
 *   loses documents.
 * - The cursor moves only over what Kafka has acknowledged.
 * - A document hidden by a newer operation above the checkpoint becomes current again, below the cursor, when that
 *   operation is rolled back. So every scan leaves a window open until the checkpoint has passed all that could have
 *   hidden something, and when the identity of the primary changes, open windows are read again (the rewind).
 * - A shard that is new or has another history starts a new epoch at -1, and outranks what was before.
 *
 * Identity, epoch, cursor and windows are saved in one write; an identity saved without its rewind would be a loss.
 * In here: the steps between scans; capture-state.ts: what there is to decide on; scan.ts: one scan; meet.ts: identity and epochs.
 */
import type { Cursor } from '@freshet/records/cursor.ts'
import type { Capture, Event, Limits, Observed, Step, Told } from './capture-state.ts'
import { foreign, inNewEpoch, meet, swept } from './meet.ts'
import { type PageLimits, UNKNOWN_SIZE } from './page-size.ts'
import { acked, beginScan, pageRead, pageTooLarge, yieldTurn } from './scan.ts'

/** Those that no setting changes. */
export const FIXED_LIMITS = {
  maxPageRows: 10_000,
  maxPagesInFlight: 4,
  saveEveryMs: 1_000,
  maxWindows: 16,
}

/** With those that the settings have. */
export function limitsOf({ pageRows, maxPageBytes }: Pick<PageLimits, 'pageRows' | 'maxPageBytes'>): Limits {
  return { ...FIXED_LIMITS, pageRows, maxPageBytes }
}

/** A shard that has no cursor yet. Its first `observed` gives it an identity and an epoch. */
export function newCapture(index: string, shard: number): Capture {
  const identity = { indexUuid: '', historyUuid: '', node: '', allocationId: '', primaryTerm: 0 }
  return resume({
    version: 2,
    clusterUuid: '',
    index,
    shard,
    identity,
    epoch: 1,
    seqNo: -1,
    windows: [],
    scope: '',
    deadEpochs: [],
    sweep: null,
  })
}

/** A shard that goes on from a stored cursor. */
export function resume(cursor: Cursor): Capture {
  return {
    cursor,
    unsaved: false,
    outrankedBy: [],
    savedAtMs: 0,
    pageSize: UNKNOWN_SIZE,
    phase: { kind: 'idle' },
  }
}

export function step(state: Capture, event: Event, limits: Limits): Step {
  switch (event.kind) {
    case 'observed':
      return observed(state, event)
    case 'refreshed':
      return beginScan(state, limits)
    case 'page':
      return pageRead(state, event, limits)
    case 'pageTooLarge':
      return pageTooLarge(state, event, limits)
    case 'acked':
      return acked(state, event, limits)
    case 'saved':
      return saved(state)
    case 'yield':
      return yieldTurn(state, limits)
    case 'failed':
      return [{ ...state, phase: { kind: 'idle' } }, []]
    case 'gone':
      return gone(state, event.newEpoch)
    case 'foreign':
    case 'swept':
      return [tell(state, event), []]
  }
}

export function tell(state: Capture, told: Told): Capture {
  return told.kind === 'foreign' ? foreign(state, told.epoch) : swept(state, told)
}

function observed(state: Capture, event: Observed): Step {
  if (state.phase.kind !== 'idle') return [state, []]
  const cursor = meet(state, event)
  const { identity, epoch } = state.cursor
  const unsaved = state.unsaved || cursor.identity !== identity || cursor.epoch !== epoch
  const next: Capture = { ...state, cursor, unsaved, outrankedBy: [] }
  if (event.globalCheckpoint <= cursor.seqNo && !unsaved) return [next, []]
  const opening: Capture = { ...next, phase: { kind: 'opening', targetSeqNo: event.globalCheckpoint } }
  return [opening, [unsaved ? { kind: 'save', cursor } : { kind: 'refresh' }]]
}

function gone(state: Capture, newEpoch: number): Step {
  if (state.phase.kind !== 'idle') return [state, []]
  const { cursor } = dead(state, newEpoch)
  const next: Capture = { ...state, cursor, unsaved: true, outrankedBy: [], phase: { kind: 'closing' } }
  return [next, [{ kind: 'save', cursor }]]
}

/** @param state idle. @returns what it is once its cursor is on disk and its epoch dead. */
export function dead(state: Capture, newEpoch: number): Capture {
  return { ...state, cursor: inNewEpoch(state, newEpoch), unsaved: false, outrankedBy: [] }
}

function saved(state: Capture): Step {
  const next = { ...state, unsaved: false }
  if (state.phase.kind === 'closing') return [{ ...next, phase: { kind: 'idle' } }, []]
  if (state.phase.kind !== 'opening') return [next, []]
  if (state.phase.targetSeqNo <= state.cursor.seqNo) return [{ ...next, phase: { kind: 'idle' } }, []]
  return [next, [{ kind: 'refresh' }]]
}
