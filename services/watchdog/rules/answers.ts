/** What the gateways have answered in the last minute, all together. Pure. */

import { ANSWER_SOURCES } from '@freshet/records/answer.ts'
import type { Facts } from '@freshet/records/facts.ts'
import { grown } from './living.ts'

/** Shares of fewer than these say nothing. */
const ENOUGH = 20

export interface Answers {
  readonly total: number
  readonly degraded: number
  readonly late: number
  readonly refused: number
  /** By source, those that there were. */
  readonly bySource: ReadonlyMap<string, number>
}

export function answersOf({ instances }: Facts): Answers {
  const gateways = instances.filter(({ heartbeat }) => heartbeat.service === 'gateway')
  const sum = (name: string) => grown(gateways, name, 'lastMinute')
  const bySource = new Map(ANSWER_SOURCES.map((source) => [source, sum(`freshet.answers.${source}`)]))
  return {
    total: [...bySource.values()].reduce((total, count) => total + count, 0),
    degraded: sum('freshet.answers.degraded'),
    late: sum('freshet.answers.late'),
    refused: sum('freshet.requests.refused'),
    bySource,
  }
}

/** @returns 0 where there are too few to speak of a share */
export function shareOf(part: number, whole: number): number {
  return whole < ENOUGH ? 0 : Math.min(1, part / whole)
}
