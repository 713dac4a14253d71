import type { Asked, Stall } from './load/generator.ts'

/** The bound of every answer, counted at the client. */
const BOUND_MS = 100
/** A stall is felt a little after it is over: what has piled up is worked off. */
const AFTER_MS = 20

export interface Judged {
  readonly requests: number
  /** Of these, told at once that it is too much (503). */
  readonly refused: number
  /** Of the others, answered within the bound. */
  readonly inTime: number
  /** Answered later while the machine stood still. */
  readonly lateByTheMachine: number
  /** Answered later without such an excuse, or not at all. */
  readonly late: readonly Asked[]
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
  /** Answers by source; 503 and others by status. */
  readonly bySource: Readonly<Record<string, number>>
}

/** @param stalls of the machine, and of the process that asked. */
export function judge(asked: readonly Asked[], stalls: readonly Stall[]): Judged {
  const accepted = asked.filter(isAccepted)
  const notInTime = tooLate(asked)
  const late = notInTime.filter(
    (one) => tookMs(one) - stalledMs(one, stalls) > BOUND_MS || (one.status === 0 && !metStall(one, stalls)),
  )
  const times = accepted
    .map(tookMs)
    .filter(Number.isFinite)
    .toSorted((a, b) => a - b)
  const at = (share: number) =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN
  return {
    requests: asked.length,
    refused: asked.length - accepted.length,
    inTime: accepted.length - notInTime.length,
    lateByTheMachine: notInTime.length - late.length,
    late,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    maxMs: at(1),
    bySource: Object.fromEntries([...Map.groupBy(asked, whence)].map(([name, all]) => [name, all.length])),
  }
}

/** Accepted, and answered after the bound or not at all, whoever is to blame. */
export function tooLate(asked: readonly Asked[]): readonly Asked[] {
  return asked.filter((one) => isAccepted(one) && (one.status === 0 || tookMs(one) > BOUND_MS))
}

function isAccepted({ status }: Asked): boolean {
  return status !== 503
}

function whence({ status, source, pool, problem }: Asked): string {
  return pool === null ? (source ?? `${status} ${problem}`) : `pool: ${pool}`
}

/** Infinite when there was no answer. */
function tookMs({ sentAtMs, doneAtMs }: Asked): number {
  return (doneAtMs ?? Number.POSITIVE_INFINITY) - sentAtMs
}

/** For how long the machine stood still while the request was under way, where it did so for 10 ms and more. */
function stalledMs({ sentAtMs, doneAtMs }: Asked, stalls: readonly Stall[]): number {
  if (doneAtMs === null) return 0
  let ms = 0
  let countedToMs = sentAtMs - AFTER_MS
  for (const { fromMs, toMs } of stalls.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const from = Math.max(fromMs, countedToMs)
    const to = Math.min(toMs, doneAtMs)
    if (to <= from) continue
    ms += to - from
    countedToMs = to
  }
  return ms === 0 ? 0 : ms + AFTER_MS
}

/** So many good answers in a row are no chance. */
const WELL_IN_A_ROW = 50

/** Seconds from the repair to the first of many good answers in a row; null when there are none. */
export function recoverySeconds(
  asked: readonly Asked[],
  repairedAtMs: number,
  isWell: (one: Asked) => boolean,
): number | null {
  let row = 0
  for (const [index, one] of asked.entries()) {
    if (one.sentAtMs < repairedAtMs) continue
    row = isWell(one) ? row + 1 : 0
    if (row === WELL_IN_A_ROW) return (asked[index - row + 1]!.sentAtMs - repairedAtMs) / 1_000
  }
  return null
}

/** Did the machine stand still for 10 ms or more while this was under way, or just before or after? */
export function metStall({ sentAtMs, doneAtMs }: Asked, stalls: readonly Stall[]): boolean {
  const toMs = doneAtMs ?? Number.POSITIVE_INFINITY
  return stalls.some(
    (stall) =>
      stall.toMs - stall.fromMs >= NOTABLE_MS &&
      stall.fromMs < toMs + AFTER_MS &&
      stall.toMs > sentAtMs - AFTER_MS,
  )
}

const NOTABLE_MS = 10
