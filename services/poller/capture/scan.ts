/** One scan of a shard, page by page up to the checkpoint that it began with: reading, acknowledgements, windows. Pure. */
import type { Cursor, Window } from '@freshet/records/cursor.ts'
import type { Capture, Effect, Event, Limits, Scan, Step } from './capture-state.ts'
import { afterPage, afterTooLarge, nextPage } from './page-size.ts'

export function beginScan(state: Capture, limits: Limits): Step {
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

export function pageTooLarge(
  state: Capture,
  { maxRows }: Extract<Event, { kind: 'pageTooLarge' }>,
  limits: Limits,
): Step {
  if (state.phase.kind !== 'scanning') return [state, []]
  const pageSize = afterTooLarge(state.pageSize, { rows: state.phase.askedRows, maxRows }, limits)
  return goOn({ ...state, pageSize }, { ...state.phase, reading: false }, limits)
}

export function pageRead(
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
  const boundary = idsAtEnd(hits, lastSeqNo)
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

type PageRows = Extract<Event, { kind: 'page' }>['hits']

/** Rows of the page that an inclusive read repeats: they are its first. */
function alreadyRead(scan: Scan, hits: PageRows): ReadonlySet<number> {
  const rows = new Set<number>()
  for (let row = 0, hit = hits.at(row); hit?.seqNo === scan.readSeqNo; hit = hits.at(++row))
    if (scan.boundaryIds.has(hit.id)) rows.add(row)
  return rows
}

function idsAtEnd(hits: PageRows, seqNo: number): string[] {
  const ids: string[] = []
  for (let row = hits.length - 1; row >= 0; row--) {
    const hit = hits.at(row)!
    if (hit.seqNo !== seqNo) break
    ids.push(hit.id)
  }
  return ids
}

export function acked(
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

/** Ends as soon as what was read is acknowledged. */
export function yieldTurn(state: Capture, limits: Limits): Step {
  if (state.phase.kind !== 'scanning') return [state, []]
  return goOn(state, { ...state.phase, yields: true }, limits)
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
