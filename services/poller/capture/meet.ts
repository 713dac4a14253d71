/** Identity and epochs of a shard: what a look, other pollers and sweeps make of its cursor. Pure. */
import { type Cursor, isSameHistory, isSamePrimary } from '@freshet/records/cursor.ts'
import type { Capture, Observed, Told } from './capture-state.ts'

/** The cursor under the identity that the primary has now. */
export function meet(
  state: Capture,
  { identity, scope, newEpoch, globalCheckpoint, maxSeqNo }: Observed,
): Cursor {
  const { cursor, outrankedBy } = state
  const isNew = !isSameHistory(identity, cursor.identity)
  if (isNew || outrankedBy.length > 0 || scope !== cursor.scope)
    return { ...inNewEpoch(state, newEpoch), identity, scope }
  if (!isSamePrimary(identity, cursor.identity))
    return {
      ...cursor,
      identity,
      seqNo: Math.min(cursor.seqNo, ...cursor.windows.map((window) => window.startSeqNo)),
      windows: [],
      sweep: null,
    }
  const windows = cursor.windows
    .map(({ startSeqNo, highSeqNo }) => ({ startSeqNo, highSeqNo: highSeqNo ?? maxSeqNo }))
    .filter((window) => window.highSeqNo > globalCheckpoint)
  return { ...cursor, windows }
}

/** At the beginning, with the epoch that it had among the dead, and those that others had for it. */
export function inNewEpoch({ cursor, outrankedBy }: Capture, epoch: number): Cursor {
  const own = cursor.identity.indexUuid === '' ? [] : [...cursor.deadEpochs, cursor.epoch]
  return { ...cursor, epoch, deadEpochs: [...own, ...outrankedBy], seqNo: -1, windows: [], sweep: null }
}

/** Another's epoch, once ours is above it, is as dead as those that we had before. */
export function foreign(state: Capture, epoch: number): Capture {
  const { cursor, outrankedBy } = state
  if (epoch === cursor.epoch || outrankedBy.includes(epoch) || cursor.deadEpochs.includes(epoch)) return state
  if (epoch > cursor.epoch) return { ...state, outrankedBy: [...outrankedBy, epoch] }
  return { ...state, cursor: { ...cursor, deadEpochs: [...cursor.deadEpochs, epoch] } }
}

/** Saved by whoever tells it, or with the next advance; a crash before costs a sweep too many. */
export function swept(state: Capture, event: Extract<Told, { kind: 'swept' }>): Capture {
  const { identity, deleteTotal, sweptAtMs, buriedEpochs } = event
  const { cursor } = state
  if (!isSamePrimary(identity, cursor.identity)) return state
  const deadEpochs = cursor.deadEpochs.filter((epoch) => !buriedEpochs.includes(epoch))
  return { ...state, cursor: { ...cursor, deadEpochs, sweep: { deleteTotal, sweptAtMs } } }
}
