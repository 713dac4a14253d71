/** Progress by timestamp as it stands in `.cursors`: as if the index had one shard, and milliseconds numbered its changes. */
import type { Cursor } from '@freshet/records/cursor.ts'
import type { Progress } from './progress.ts'

export type StoredProgress = Pick<Progress, 'newestMs' | 'settledMs'>

interface NewIndex {
  readonly clusterUuid: string
  readonly index: string
  readonly indexUuid: string
  readonly scope: string
  readonly epoch: number
  /** What is stored of the index under another scope. */
  readonly before: Cursor | undefined
}

/** Of which nothing has been captured yet. */
export function beginCursor({ clusterUuid, index, indexUuid, scope, epoch, before }: NewIndex): Cursor {
  return {
    version: 2,
    clusterUuid,
    index,
    shard: 0,
    identity: { indexUuid, historyUuid: '', node: '', allocationId: '', primaryTerm: 0 },
    epoch,
    seqNo: NOTHING,
    windows: [],
    scope,
    deadEpochs: before === undefined ? [] : [...before.deadEpochs, before.epoch],
    sweep: null,
  }
}

export function progressOf({ seqNo, windows: [window] }: Cursor): StoredProgress {
  return {
    newestMs: fromStored(seqNo),
    settledMs: window === undefined ? null : fromStored(window.startSeqNo),
  }
}

export function withProgress(cursor: Cursor, { newestMs, settledMs }: StoredProgress): Cursor {
  const windows = settledMs === null ? [] : [{ startSeqNo: toStored(settledMs), highSeqNo: null }]
  return { ...cursor, seqNo: toStored(newestMs), windows }
}

const NOTHING = -1

/** What is dated before 1970 is as nothing: after a restart all is read again. */
function toStored(ms: number): number {
  return Math.max(NOTHING, ms)
}

function fromStored(seqNo: number): number {
  return seqNo === NOTHING ? Number.NEGATIVE_INFINITY : seqNo
}
