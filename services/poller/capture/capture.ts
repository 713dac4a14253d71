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
 * In here: what there is to decide on, and the steps between scans; scan.ts: one scan; meet.ts: identity and epochs.
 */
import type { Cursor, ShardIdentity } from '@freshet/records/cursor.ts'
import type { Hit, Hits } from '@freshet/records/hit.ts'
import { foreign, inNewEpoch, meet, swept } from './meet.ts'
import { type PageLimits, type PageSize, UNKNOWN_SIZE } from './page-size.ts'
import { acked, beginScan, pageRead, pageTooLarge, yieldTurn } from './scan.ts'

export interface Capture {
  readonly cursor: Cursor
  /** True while the identity in `cursor` is not yet on disk: nothing may be emitted under it. */
  readonly unsaved: boolean
  /** Epochs of others for this shard, above ours: the next look starts one above them all. */
  readonly outrankedBy: readonly number[]
  readonly savedAtMs: number
  readonly pageSize: PageSize
  readonly phase: Phase
}

type Phase =
  | { readonly kind: 'idle' }
  | { readonly kind: 'opening'; readonly targetSeqNo: number }
  | Scan
  | { readonly kind: 'closing' }

export interface Scan {
  readonly kind: 'scanning'
  /** The cursor when the scan began: a rewind goes back to here. */
  readonly startSeqNo: number
  /** The global checkpoint when the scan began, inclusive. */
  readonly targetSeqNo: number
  readonly node: string
  /** The last sequence number read, and the documents that had it: numbers repeat in a shrunk index. */
  readonly readSeqNo: number
  readonly boundaryIds: ReadonlySet<string>
  /** Rows of the page that is being read, or was read last. */
  readonly askedRows: number
  readonly reading: boolean
  /** A page came back short: only holes are left up to the target. */
  readonly exhausted: boolean
  /** Nothing more is read: the scan ends where it is. */
  readonly yields: boolean
  /** Up to which number each page that is sent and not yet acknowledged covers, oldest first. */
  readonly unacked: readonly number[]
}

/** How the shard stands by a look at it. */
export interface Observed {
  readonly kind: 'observed'
  readonly globalCheckpoint: number
  readonly maxSeqNo: number
  readonly identity: ShardIdentity
  /** Hash of what is captured of each document. */
  readonly scope: string
  /** Above every epoch known. */
  readonly newEpoch: number
}

/** What others tell of a shard, at any time: nothing is read or sent because of it. */
export type Told =
  /** Another poller has emitted this shard under an epoch of its own: if it is above ours, only one above that outranks it. */
  | { readonly kind: 'foreign'; readonly epoch: number }
  /** A sweep under `identity` has found every delete up to its start. */
  | {
      readonly kind: 'swept'
      readonly identity: ShardIdentity
      readonly deleteTotal: number
      readonly sweptAtMs: number
      /** Dead epochs that have no living row any more. */
      readonly buriedEpochs: readonly number[]
    }

/** What a scan looks at in a hit. */
type PageRow = Pick<Hit, 'id' | 'seqNo'>

export type Event =
  | Observed
  | Told
  /**
   * Its index no longer exists: the epoch dies, so that its keys may be deleted. Should the index come back to the name,
   * it is captured anew under `newEpoch`, which is above all that was buried.
   */
  | { readonly kind: 'gone'; readonly newEpoch: number }
  | { readonly kind: 'refreshed' }
  | {
      readonly kind: 'page'
      readonly hits: Pick<Hits<PageRow>, 'length' | 'at'>
      /** Of the whole answer; left out where nobody weighs. */
      readonly bytes?: number
    }
  /** The page cannot be had: too many bytes, or more than the `maxRows` that the index allows. */
  | { readonly kind: 'pageTooLarge'; readonly maxRows?: number | undefined }
  | { readonly kind: 'acked'; readonly throughSeqNo: number; readonly nowMs: number }
  | { readonly kind: 'saved' }
  /** Other shards wait: the scan ends as soon as what was read is acknowledged. The next `observed` goes on. */
  | { readonly kind: 'yield' }
  /** Anything went wrong; nothing of this scan is running any more. The next `observed` starts again at the cursor. */
  | { readonly kind: 'failed' }

export type Effect =
  | { readonly kind: 'save'; readonly cursor: Cursor }
  | { readonly kind: 'refresh' }
  | {
      readonly kind: 'readPage'
      readonly node: string
      readonly from: { readonly seqNo: number; readonly inclusive: boolean }
      readonly toSeqNo: number
      readonly rows: number
      /** Infinite when the page cannot be asked for with less. */
      readonly maxBytes: number
    }
  /** Send the hits of the page just read, without those at `skip`; their acknowledgement covers `throughSeqNo`. */
  | { readonly kind: 'produce'; readonly skip: ReadonlySet<number>; readonly throughSeqNo: number }

export interface Limits extends PageLimits {
  /** Pages read and not yet acknowledged. */
  readonly maxPagesInFlight: number
  readonly saveEveryMs: number
  readonly maxWindows: number
}

export const defaultLimits = {
  maxPageRows: 10_000,
  maxPageBytes: 16 * 1024 * 1024,
  maxPagesInFlight: 4,
  saveEveryMs: 1_000,
  maxWindows: 16,
}

/** As the settings have them. */
export function limitsOf({ pageRows, maxPageBytes }: Pick<PageLimits, 'pageRows' | 'maxPageBytes'>): Limits {
  return { ...defaultLimits, pageRows, maxPageBytes }
}

export type Step = [Capture, readonly Effect[]]

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
