/** Why answers are degraded, as the gateways have counted it lately. Pure. */
import { REASONS, type Reason } from '@freshet/records/reasons.ts'

export interface DegradedFor {
  readonly reason: Reason
  readonly answers: number
}

/** A counter of one reason, as heartbeats have it. */
type Counter = `freshet.answers.degraded.${Reason}`

/** More are in Kibana. */
const MOST = 4

/** The reasons that there were, the most frequent first. */
export function degradedFor(countOf: (counter: Counter) => number): readonly DegradedFor[] {
  return (Object.keys(REASONS) as Reason[])
    .map((reason) => ({ reason, answers: countOf(`freshet.answers.degraded.${reason}`) }))
    .filter(({ answers }) => answers > 0)
    .toSorted((a, b) => b.answers - a.answers)
    .slice(0, MOST)
}
