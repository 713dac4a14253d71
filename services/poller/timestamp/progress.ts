/**
 * How far an index has been captured by the timestamps of its documents, and what to read next. Pure.
 *
 * Documents do not become visible in the order of their timestamps, so every read goes back behind the newest one. A
 * **near** read goes back a second, for what normally comes a moment late; it runs whenever the index has changed. A
 * **whole** read goes back the full overlap, from the newest timestamp that the whole read before it ended with: what
 * became visible since then was at most the overlap older. It runs a few times per overlap.
 *
 * What lies in the future waits until its time has come: if it moved the newest timestamp, everything that is written
 * until then would count as late.
 */
export interface Progress {
  /** Newest timestamp of a document that Kafka has acknowledged; -Infinity before the first. */
  readonly newestMs: number
  /** `newestMs` when the last whole read ended; null before the first has. */
  readonly settledMs: number | null
  /** When the last whole read began; null when none has ended since this process started. */
  readonly wholeReadAtMs: number | null
  /** State of the index that the last read, and the last whole read, has seen; undefined when it cannot be told. */
  readonly seenState: string | undefined
  readonly settledState: string | undefined
  /** The first timestamp of the future that the last read has met. */
  readonly futureMs: number
}

export interface Read {
  /** Inclusive; -Infinity for all documents that have a timestamp. */
  readonly fromMs: number
  /** Inclusive: the present. */
  readonly toMs: number
  readonly isWhole: boolean
}

export interface Overlap {
  readonly nearMs: number
  readonly wholeMs: number
  readonly wholeEveryMs: number
}

const NEAR_MS = 1_000
const WHOLE_READS_PER_OVERLAP = 4

/** @param overlapMs how much older than the newest a document may be when it becomes visible. */
export function overlapOf(overlapMs: number): Overlap {
  if (overlapMs <= NEAR_MS) return { nearMs: overlapMs, wholeMs: overlapMs, wholeEveryMs: 0 }
  return { nearMs: NEAR_MS, wholeMs: overlapMs, wholeEveryMs: overlapMs / WHOLE_READS_PER_OVERLAP }
}

/** Of what is stored; a process that starts begins with a whole read. */
export function resume({ newestMs, settledMs }: Pick<Progress, 'newestMs' | 'settledMs'>): Progress {
  return {
    newestMs,
    settledMs,
    wholeReadAtMs: null,
    seenState: undefined,
    settledState: undefined,
    futureMs: Number.POSITIVE_INFINITY,
  }
}

/**
 * @param state tells two states of the index apart; undefined when it cannot be known
 * @returns undefined when nothing can be new
 */
export function planRead(
  progress: Progress,
  { nowMs, state }: { readonly nowMs: number; readonly state: string | undefined },
  overlap: Overlap,
): Read | undefined {
  const { newestMs, wholeReadAtMs, seenState, settledState, futureMs } = progress
  // By the distance, so that a clock that was set back does not put it off.
  const isWhole = wholeReadAtMs === null || Math.abs(nowMs - wholeReadAtMs) >= overlap.wholeEveryMs
  const isSeen = state !== undefined && state === seenState && nowMs < futureMs
  if (isSeen && (state === settledState || !isWhole)) return undefined
  const fromMs = isWhole ? wholeFromMs(progress, overlap) : newestMs - overlap.nearMs
  return { fromMs, toMs: nowMs, isWhole }
}

/**
 * What became visible since the last whole read began was then at most the overlap older than the newest of that read.
 * Where none has ended yet, the one that was broken off has still seen all that was there and is older than its newest.
 */
export function wholeFromMs({ settledMs, newestMs }: Progress, { wholeMs }: Overlap): number {
  return (settledMs ?? newestMs) - wholeMs
}

/** Kafka has acknowledged every document of the read up to a timestamp. */
export function advance(progress: Progress, timestampMs: number): Progress {
  return timestampMs > progress.newestMs ? { ...progress, newestMs: timestampMs } : progress
}

/** All that the read was for is acknowledged. */
export function end(
  progress: Progress,
  read: Read,
  { state, futureMs }: { readonly state: string | undefined; readonly futureMs: number },
): Progress {
  const next = { ...progress, seenState: state, futureMs }
  if (!read.isWhole) return next
  return { ...next, settledMs: progress.newestMs, settledState: state, wholeReadAtMs: read.toMs }
}
