import type { Share } from './fault.ts'
import type { ThreadWait } from './load/control.ts'
import type { Asked, Stall, Timed } from './load/generator.ts'

/** The bound of every answer, counted at the client. */
const BOUND_MS = 100
/** A stall is felt a little after it is over: what has piled up is worked off. */
const AFTER_MS = 20

export interface Judged {
  readonly requests: number
  /** Of these, told within the bound that it is too much (503). */
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
  /** Of all 503, also those that came late; NaN when there were none. */
  readonly refusals: { readonly p99Ms: number; readonly maxMs: number }
  /** Answers by source; 503 and others by status. */
  readonly bySource: Readonly<Record<string, number>>
}

/** @param stalls of the machine, and of the process that asked. */
export function judge(asked: readonly Asked[], stalls: readonly Stall[]): Judged {
  const accepted = asked.filter(isAccepted)
  const notInTime = tooLate(asked)
  const late = notInTime.filter(
    (one) => isLateBeyond(one, stalls) || (one.status === 0 && !metStall(one, stalls)),
  )
  const at = times(accepted)
  const refusedAt = times(asked.filter(({ status }) => status === 503))
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
    refusals: { p99Ms: refusedAt(0.99), maxMs: refusedAt(1) },
    bySource: Object.fromEntries([...Map.groupBy(asked, whence)].map(([name, all]) => [name, all.length])),
  }
}

/** @returns how long such a share of them took at most; NaN when none was answered */
export function times(answers: readonly Timed[]): (share: number) => number {
  const sorted = answers
    .map(tookMs)
    .filter(Number.isFinite)
    .toSorted((a, b) => a - b)
  return (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** Answered after the bound, be it with a refusal, or not at all, whoever is to blame. */
export function tooLate(asked: readonly Asked[]): readonly Asked[] {
  return asked.filter((one) => isAccepted(one) && (one.status === 0 || tookMs(one) > BOUND_MS))
}

/** Later than the bound, or so many times that, by more than the machine took of it. */
export function isLateBeyond(one: Timed, stalls: readonly Stall[], bounds = 1): boolean {
  return tookMs(one) - stalledMs(one, stalls) > bounds * BOUND_MS
}

/** Who is told after the bound that it is too much was not refused: he has waited for nothing. */
function isAccepted(one: Asked): boolean {
  return one.status !== 503 || tookMs(one) > BOUND_MS
}

function whence({ status, source, pool, problem }: Asked): string {
  return pool === null ? (source ?? `${status} ${problem}`) : `pool: ${pool}`
}

/** Infinite when there was no answer. */
function tookMs({ sentAtMs, doneAtMs }: Timed): number {
  return (doneAtMs ?? Number.POSITIVE_INFINITY) - sentAtMs
}

/** For how long the machine stood still while the request was under way, where it did so for 10 ms and more. */
export function stalledMs({ sentAtMs, doneAtMs }: Timed, stalls: readonly Stall[]): number {
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

/** How long the gateway's threads waited for a core between two moments. @param waits of one control process */
export function waitedMs(waits: readonly ThreadWait[], fromMs: number, toMs: number): number {
  const between = waits.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
  return between.length === 0 ? 0 : between.at(-1)!.othersWaitedMs - between[0]!.othersWaitedMs
}

/** The shares that were not reached, for people. Of none there is nothing to say. @param asked while the machine ran */
export function missedShares(shares: readonly Share[], asked: readonly Asked[]): string[] {
  return shares.flatMap(({ what, atLeast, is, of = () => true }) => {
    const all = asked.filter(of)
    const count = all.filter(is).length
    return count < atLeast * all.length
      ? [`${what}: ${count} of ${all.length}, less than ${100 * atLeast} %`]
      : []
  })
}

/** Did the machine stand still for 10 ms or more while this was under way, or just before or after? */
export function metStall({ sentAtMs, doneAtMs }: Timed, stalls: readonly Stall[]): boolean {
  const toMs = doneAtMs ?? Number.POSITIVE_INFINITY
  return stalls.some(
    (stall) =>
      stall.toMs - stall.fromMs >= NOTABLE_MS &&
      stall.fromMs < toMs + AFTER_MS &&
      stall.toMs > sentAtMs - AFTER_MS,
  )
}

const NOTABLE_MS = 10
