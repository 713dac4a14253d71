/** What the gateways have answered lately, all together. Pure. */

import { ANSWER_SOURCES } from '@freshet/records/answer.ts'
import type { Facts, InstanceFacts } from '@freshet/records/facts.ts'
import { grown, sumOf } from './living.ts'

/** Shares of fewer than these say nothing. */
const ENOUGH = 20
/** One or two are an accident, whatever share of a few they are. */
const FEW = 3
/** Of what is told by the second. */
const LATELY_SECONDS = 10

export interface Answers {
  readonly total: number
  readonly degraded: number
  readonly late: number
  readonly refused: number
  /** By source, those that there were. */
  readonly bySource: ReadonlyMap<string, number>
}

/** In the last minute. */
export function answersOf(facts: Facts): Answers {
  const gateways = gatewaysOf(facts)
  return counted((name) => grown(gateways, name, 'lastMinute'))
}

/**
 * How many of the last minute's are bad, as a share. What was bad for a moment, as when a gateway has just begun, is over
 * although the minute still holds it: so those of the last seconds must be as bad, where there are enough of them.
 * @returns 0 where there are too few to speak of a share
 */
export function shareOf(facts: Facts, { above, of }: ShareOptions): number {
  const share = rateOf(of(answersOf(facts)))
  const lately = of(latelyOf(facts))
  return lately.whole >= ENOUGH && lately.part / lately.whole <= above ? 0 : share
}

interface ShareOptions {
  /** What is bad. */
  readonly above: number
  readonly of: (answers: Answers) => { readonly part: number; readonly whole: number }
}

function latelyOf(facts: Facts): Answers {
  const gateways = gatewaysOf(facts)
  return counted((name) =>
    gateways.reduce((sum, { perSecond }) => sum + sumOf(perSecond, name) * LATELY_SECONDS, 0),
  )
}

function gatewaysOf({ instances }: Facts): readonly InstanceFacts[] {
  return instances.filter(({ heartbeat }) => heartbeat.service === 'gateway')
}

function counted(sum: (name: string) => number): Answers {
  const bySource = new Map(ANSWER_SOURCES.map((source) => [source, sum(`freshet.answers.${source}`)]))
  return {
    total: [...bySource.values()].reduce((total, count) => total + count, 0),
    degraded: sum('freshet.answers.degraded'),
    late: sum('freshet.answers.late'),
    refused: sum('freshet.requests.refused'),
    bySource,
  }
}

function rateOf({ part, whole }: { readonly part: number; readonly whole: number }): number {
  return whole < ENOUGH || part < FEW ? 0 : Math.min(1, part / whole)
}
