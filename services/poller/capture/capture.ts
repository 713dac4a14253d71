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
 */
import {
  type Cursor,
  isSameHistory,
  isSamePrimary,
  type ShardIdentity,
  type Window,
} from '@freshet/records/cursor.ts'
import {
  afterPage,
  afterTooLarge,
  nextPage,
  type PageLimits,
  type PageSize,
  UNKNOWN_SIZE,
} from './page-size.ts'

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

interface Scan {
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
      readonly hits: readonly { readonly id: string; readonly seqNo: number }[]
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

type Step = [Capture, readonly Effect[]]

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
      return state.phase.kind === 'scanning'
        ? goOn(state, { ...state.phase, yields: true }, limits)
        : [state, []]
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

/** The cursor under the identity that the primary has now. */
function meet(state: Capture, { identity, scope, newEpoch, globalCheckpoint, maxSeqNo }: Observed): Cursor {
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
function inNewEpoch({ cursor, outrankedBy }: Capture, epoch: number): Cursor {
  const own = cursor.identity.indexUuid === '' ? [] : [...cursor.deadEpochs, cursor.epoch]
  return { ...cursor, epoch, deadEpochs: [...own, ...outrankedBy], seqNo: -1, windows: [], sweep: null }
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

/** Another's epoch, once ours is above it, is as dead as those that we had before. */
function foreign(state: Capture, epoch: number): Capture {
  const { cursor, outrankedBy } = state
  if (epoch === cursor.epoch || outrankedBy.includes(epoch) || cursor.deadEpochs.includes(epoch)) return state
  if (epoch > cursor.epoch) return { ...state, outrankedBy: [...outrankedBy, epoch] }
  return { ...state, cursor: { ...cursor, deadEpochs: [...cursor.deadEpochs, epoch] } }
}

/** Saved by whoever tells it, or with the next advance; a crash before costs a sweep too many. */
function swept(state: Capture, event: Extract<Event, { kind: 'swept' }>): Capture {
  const { identity, deleteTotal, sweptAtMs, buriedEpochs } = event
  const { cursor } = state
  if (!isSamePrimary(identity, cursor.identity)) return state
  const deadEpochs = cursor.deadEpochs.filter((epoch) => !buriedEpochs.includes(epoch))
  return { ...state, cursor: { ...cursor, deadEpochs, sweep: { deleteTotal, sweptAtMs } } }
}

function saved(state: Capture): Step {
  const next = { ...state, unsaved: false }
  if (state.phase.kind === 'closing') return [{ ...next, phase: { kind: 'idle' } }, []]
  if (state.phase.kind !== 'opening') return [next, []]
  if (state.phase.targetSeqNo <= state.cursor.seqNo) return [{ ...next, phase: { kind: 'idle' } }, []]
  return [next, [{ kind: 'refresh' }]]
}

function beginScan(state: Capture, limits: Limits): Step {
  if (state.phase.kind !== 'opening') return [state, []]
  const scan: Scan = {
    kind: 'scanning',
    startSeqNo: state.cursor.seqNo,
    targetSeqNo: state.phase.targetSeqNo,
    node: state.cursor.identity.node,
    readSeqNo: state.cursor.seqNo,
    boundaryIds: new Set(),
    askedRows: 0,
    reading: false,
    exhausted: false,
    yields: false,
    unacked: [],
  }
  return readNext(state, scan, limits)
}

function readNext(state: Capture, scan: Scan, limits: Limits): Step {
  const from = { seqNo: scan.readSeqNo, inclusive: scan.boundaryIds.size > 0 }
  const { rows, maxBytes } = nextPage(state.pageSize, scan.boundaryIds.size, limits)
  return [
    { ...state, phase: { ...scan, askedRows: rows, reading: true } },
    [{ kind: 'readPage', node: scan.node, from, toSeqNo: scan.targetSeqNo, rows, maxBytes }],
  ]
}

function pageTooLarge(
  state: Capture,
  { maxRows }: Extract<Event, { kind: 'pageTooLarge' }>,
  limits: Limits,
): Step {
  if (state.phase.kind !== 'scanning') return [state, []]
  const pageSize = afterTooLarge(state.pageSize, { rows: state.phase.askedRows, maxRows }, limits)
  return goOn({ ...state, pageSize }, { ...state.phase, reading: false }, limits)
}

function pageRead(
  state: Capture,
  { hits, bytes = 0 }: Extract<Event, { kind: 'page' }>,
  limits: Limits,
): Step {
  if (state.phase.kind !== 'scanning') return [state, []]
  const scan = state.phase
  const pageSize = afterPage(state.pageSize, { rows: hits.length, bytes })
  const skip = alreadyRead(scan, hits)
  const exhausted = hits.length < scan.askedRows
  const lastSeqNo = hits.at(-1)?.seqNo ?? scan.readSeqNo
  const boundary = hits.filter((hit) => hit.seqNo === lastSeqNo).map((hit) => hit.id)
  const isNew = skip.size < hits.length
  const throughSeqNo = exhausted ? scan.targetSeqNo : lastSeqNo - 1
  const next: Scan = {
    ...scan,
    reading: false,
    exhausted,
    readSeqNo: lastSeqNo,
    boundaryIds: new Set(lastSeqNo === scan.readSeqNo ? [...scan.boundaryIds, ...boundary] : boundary),
    unacked: isNew ? [...scan.unacked, throughSeqNo] : scan.unacked,
  }
  const produce: readonly Effect[] = isNew ? [{ kind: 'produce', skip, throughSeqNo }] : []
  const [after, effects] = goOn({ ...state, pageSize }, next, limits)
  return [after, [...effects, ...produce]] // the next page is asked for first: the server works meanwhile
}

/** Rows of the page that an inclusive read repeats. */
function alreadyRead(
  scan: Scan,
  hits: readonly { readonly id: string; readonly seqNo: number }[],
): ReadonlySet<number> {
  const rows = new Set<number>()
  for (const [row, hit] of hits.entries()) {
    if (hit.seqNo !== scan.readSeqNo) break
    if (scan.boundaryIds.has(hit.id)) rows.add(row)
  }
  return rows
}

function acked(
  state: Capture,
  { throughSeqNo, nowMs }: Extract<Event, { kind: 'acked' }>,
  limits: Limits,
): Step {
  if (state.phase.kind !== 'scanning') return [state, []]
  const unacked = state.phase.unacked.toSpliced(state.phase.unacked.indexOf(throughSeqNo), 1)
  const scan = { ...state.phase, unacked }
  // A page may be acknowledged before an older one, such as one that has something for `.dead` first.
  const isFirst = unacked.every((other) => other > throughSeqNo)
  const isDue = nowMs - state.savedAtMs >= limits.saveEveryMs && throughSeqNo > state.cursor.seqNo
  if (scan.exhausted || !isFirst || !isDue) return goOn(state, scan, limits)
  const cursor = advance(state.cursor, scan, throughSeqNo, limits)
  const [after, effects] = goOn({ ...state, cursor, savedAtMs: nowMs }, scan, limits)
  return [after, [{ kind: 'save', cursor }, ...effects]]
}

/** Reads on, waits for acknowledgements, or ends the scan. */
function goOn(state: Capture, scan: Scan, limits: Limits): Step {
  const readsOn = !scan.exhausted && !scan.yields
  if (readsOn && !scan.reading && scan.unacked.length < limits.maxPagesInFlight)
    return readNext(state, scan, limits)
  if (readsOn || scan.reading || scan.unacked.length > 0) return [{ ...state, phase: scan }, []]
  // More documents may have the last number that was read.
  const seqNo = scan.exhausted ? scan.targetSeqNo : scan.readSeqNo - 1
  if (!scan.exhausted && seqNo <= state.cursor.seqNo) return [{ ...state, phase: { kind: 'idle' } }, []]
  const cursor = advance(state.cursor, scan, seqNo, limits)
  return [{ ...state, cursor, phase: { kind: 'closing' } }, [{ kind: 'save', cursor }]]
}

/** The cursor moved to `seqNo`, with the window of this scan open. */
function advance(cursor: Cursor, scan: Scan, seqNo: number, { maxWindows }: Limits): Cursor {
  const isOpen = cursor.windows.some(
    (window) => window.startSeqNo === scan.startSeqNo && window.highSeqNo === null,
  )
  const windows = isOpen
    ? cursor.windows
    : [...cursor.windows, { startSeqNo: scan.startSeqNo, highSeqNo: null }]
  return { ...cursor, seqNo, windows: boundWindows(windows, maxWindows) }
}

/** Neighbours are merged, never all into one: under steady traffic the highest would never be passed. */
function boundWindows(windows: readonly Window[], max: number): Window[] {
  if (windows.length <= max) return [...windows]
  const [first, second, ...rest] = windows as [Window, Window, ...Window[]]
  const highSeqNo =
    first.highSeqNo === null || second.highSeqNo === null ? null : Math.max(first.highSeqNo, second.highSeqNo)
  return [{ startSeqNo: Math.min(first.startSeqNo, second.startSeqNo), highSeqNo }, ...rest]
}
