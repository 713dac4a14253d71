import type { Judged } from './judge.ts'
import type { FaultResult } from './run-fault.ts'
import { brokenRules, isStarved, missedTimes, NONE } from './verdict.ts'

const COLUMNS = [
  'fault',
  'requests: all / while broken',
  'refused (503): in time, p99 / max ms of all',
  '≤ 100 ms',
  'late: machine / ours',
  'p50 / p99 / p99.9 / max ms',
  'answers from',
  'wrong',
  'well again after',
]

export const TABLE_HEAD = `${line(COLUMNS)}\n${line(COLUMNS.map(() => '---'))}`

export function tableRow(result: FaultResult): string {
  const { requests, refused, inTime, recoverySeconds } = result
  return line([
    result.name,
    `${requests} / ${result.askedWhileBroken}`,
    refusals(result),
    `${((100 * inTime) / (requests - refused)).toFixed(2)} %`,
    `${result.lateByTheMachine} / ${result.late.length}`,
    inMs(result.p50Ms, result.p99Ms, result.p999Ms, result.maxMs),
    Object.entries(result.bySource)
      .map(([source, count]) => `${source} ${count}`)
      .join(', '),
    `${result.wrong.length}`,
    recoverySeconds === null ? 'never' : `${recoverySeconds.toFixed(2)} s`,
  ])
}

/** What the row has no room for, and what is not as it must be on a machine that nobody disturbs. */
export function notesOf(result: FaultResult): string[] {
  const { name, ofOperations, others } = result
  const notes = Object.entries(ofOperations).map(
    ([operation, judged]) =>
      `\`${operation}\`: ${judged.requests} requests; refused ${refusals(judged)}; p50 / p99 / max ms ${inMs(judged.p50Ms, judged.p99Ms, judged.maxMs)}`,
  )
  if (others !== null)
    notes.push(
      `${others.count} bodies that did not come; told so after p50 / max ms ${inMs(others.p50Ms, others.maxMs)}`,
    )
  if (isStarved(result))
    notes.push(
      `starved: of ${result.askedWhileBroken} only ${result.undisturbed} met no stall of the machine`,
    )
  notes.push(...failings(result).map((words) => `**MISSED**: ${words}`))
  return notes.map((words) => `- **${name}**: ${words}`)
}

/** Of a machine that nobody disturbs nothing is let pass. */
export function failings(result: FaultResult): string[] {
  return [...brokenRules(result, NONE), ...missedTimes(result, NONE)]
}

function refusals({ refused, refusals: { p99Ms, maxMs } }: Judged): string {
  return Number.isNaN(maxMs) ? `${refused}` : `${refused}, ${inMs(p99Ms, maxMs)}`
}

function inMs(...times: readonly number[]): string {
  return times.map((ms) => ms.toFixed(1)).join(' / ')
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
