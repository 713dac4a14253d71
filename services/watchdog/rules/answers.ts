/** What the gateways have answered lately, all together. Pure. */
import { ANSWER_SOURCES } from '@freshet/records/answer.ts'
import { type DegradedFor, degradedFor } from '../degraded-answers.ts'
import { grown, livingOf, sumOf } from './living.ts'
import type { Scene } from './rule.ts'

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
  /** Requests, of which each may ask for many answers; of those that came, these were refused. */
  readonly requests: number
  readonly refused: number
  /** By source, those that there were. */
  readonly bySource: ReadonlyMap<string, number>
}

/** Whose answers count: what one that is gone, or stands still, counted last says nothing about now. */
type Gateways = Pick<Scene, 'now' | 'silentSeconds'>

/** In the last minute. */
export function answersOf(scene: Gateways): Answers {
  const gateways = livingOf(scene, 'gateway')
  return counted((name) => grown(gateways, name, 'lastMinute'))
}

/** Why those of the last minute are degraded that are: empty where the gateways are of an older build. */
export function whyDegraded(scene: Gateways): readonly DegradedFor[] {
  const gateways = livingOf(scene, 'gateway')
  return degradedFor((counter) => grown(gateways, counter, 'lastMinute'))
}

/**
 * How many of the last minute's are bad, as a share. What was bad for a moment, as when a gateway has just begun, is over
 * although the minute still holds it: so those of the last seconds must be as bad, where there are enough of them.
 * @returns 0 where there are too few to speak of a share
 */
export function shareOf(scene: Gateways, { above, of }: ShareOptions): number {
  const share = rateOf(of(answersOf(scene)))
  const lately = of(latelyOf(scene))
  return lately.whole >= ENOUGH && lately.part / lately.whole <= above ? 0 : share
}

interface ShareOptions {
  /** What is bad. */
  readonly above: number
  readonly of: (answers: Answers) => { readonly part: number; readonly whole: number }
}

function latelyOf(scene: Gateways): Answers {
  const gateways = livingOf(scene, 'gateway')
  return counted((name) =>
    gateways.reduce((sum, { perSecond }) => sum + sumOf(perSecond, name) * LATELY_SECONDS, 0),
  )
}

function counted(sum: (name: string) => number): Answers {
  const bySource = new Map(ANSWER_SOURCES.map((source) => [source, sum(`freshet.answers.${source}`)]))
  return {
    total: [...bySource.values()].reduce((total, count) => total + count, 0),
    degraded: sum('freshet.answers.degraded'),
    late: sum('freshet.answers.late'),
    requests: sum('freshet.requests.received'),
    refused: sum('freshet.requests.refused'),
    bySource,
  }
}

function rateOf({ part, whole }: { readonly part: number; readonly whole: number }): number {
  return whole < ENOUGH || part < FEW ? 0 : Math.min(1, part / whole)
}
