import type { FaultResult } from './run-fault.ts'

/** What must come about after a repair, whatever was broken. */
const RECOVERED_SECONDS = 5
/** A new connection may be given to node:http with a request that comes in pieces; the others must not. */
const PLAIN_SHARE = 0.99

/** What is let pass of a machine that others use too. */
export interface Leniency {
  /** Of all requests: late or refused, though nothing of the machine was seen. */
  readonly unseenShare: number
  /**
   * Of answers to others than the load. Who connects anew for each request waits for turns of the gateway's loop before it
   * knows of him: libuv 1.52 takes one connection in each.
   */
  readonly unseenShareOfOthers: number
  /** Whether recovery takes as long as the machine stood still less. */
  readonly isLessStalls: boolean
}

/** On a machine that nobody disturbs. */
export const NONE: Leniency = { unseenShare: 0, unseenShareOfOthers: 0, isLessStalls: false }

/** What no machine excuses, for people. */
export function brokenRules(result: FaultResult, { isLessStalls }: Leniency): string[] {
  const { wrong, plainShare, recoverySeconds, recoveryStalledSeconds, exitCode } = result
  const stalledSeconds = isLessStalls ? recoveryStalledSeconds : 0
  const isRecovered = recoverySeconds !== null && recoverySeconds - stalledSeconds <= RECOVERED_SECONDS
  return [
    ...new Set(wrong.slice(0, 10)),
    ...(plainShare >= PLAIN_SHARE ? [] : [`only ${percent(plainShare)} came past node:http`]),
    ...(isRecovered ? [] : [`well again after ${recoverySeconds ?? 'more than all'} s`]),
    ...(exitCode === 0 ? [] : [`the gateway ended with ${exitCode}`]),
  ]
}

/** What was not in time, or not let in, while the machine ran, for people: one that stands still unseen may be to blame. */
export function missedTimes(result: FaultResult, { unseenShare, unseenShareOfOthers }: Leniency): string[] {
  const { requests, others, inexcusable, refusedWithoutCause, missedShares } = result
  const late = inexcusable.length / requests
  const lateOthers = others === null ? 0 : others.late / others.count
  const refused = refusedWithoutCause / (requests + (others?.count ?? 0))
  return [
    ...(late <= unseenShare ? [] : [`${percent(late)} were late`]),
    ...(lateOthers <= unseenShareOfOthers ? [] : [`${percent(lateOthers)} of the others were late`]),
    ...(refused <= unseenShare ? [] : [`${percent(refused)} were refused`]),
    ...missedShares,
  ]
}

/** Most of what was asked while it was broken met a machine that stood still, so little is said of its times. */
export function isStarved({ askedWhileBroken, undisturbed }: FaultResult): boolean {
  return undisturbed < askedWhileBroken / 2
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`
}
