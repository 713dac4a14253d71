/**
 * Findings become alerts slowly and end slowly, so that what flickers is told once:
 *
 *   nothing ──bad──► pending ──2nd bad──► firing ──3rd good in a row──► nothing
 *                       └──good──► nothing   └─ told again every repeatMs while it lasts
 *
 * A message is made for each change to firing and back, and for each reminder; never otherwise.
 */
import type { Alert, AlertMessage, Finding } from '@freshet/records/alert-state.ts'

/** What one look at the pipeline said. */
export interface Judgement {
  readonly findings: readonly Finding[]
  /** True when the pipeline could not be seen: what is not found may be there all the same. */
  readonly blind: boolean
}

export interface Moment {
  readonly nowMs: number
  readonly repeatMs: number
}

const OPEN_AFTER = 2
const CLOSE_AFTER = 3

/** One evaluation: the alerts afterwards, and what people are to be told. */
export function evaluate(
  alerts: readonly Alert[],
  { findings, blind }: Judgement,
  moment: Moment,
): { alerts: Alert[]; messages: AlertMessage[] } {
  const found = new Map(findings.map((finding) => [finding.id, finding]))
  const steps = alerts.map((alert): Step => {
    const finding = found.get(alert.finding.id)
    found.delete(alert.finding.id)
    if (finding !== undefined) return stepBad(alert, finding, moment)
    return blind ? { alert } : stepGood(alert, moment)
  })
  for (const finding of found.values())
    steps.push({ alert: { phase: 'pending', finding, sinceMs: moment.nowMs, badEvaluations: 1 } })
  return {
    alerts: steps.flatMap(({ alert }) => alert ?? []),
    messages: steps.flatMap(({ message }) => message ?? []),
  }
}

interface Step {
  /** Absent: the alert is over. */
  readonly alert?: Alert
  readonly message?: AlertMessage
}

function stepBad(alert: Alert, finding: Finding, { nowMs, repeatMs }: Moment): Step {
  const { sinceMs } = alert
  if (alert.phase === 'pending') {
    const badEvaluations = alert.badEvaluations + 1
    if (badEvaluations < OPEN_AFTER) return { alert: { ...alert, finding, badEvaluations } }
    return tell('firing')
  }
  if (nowMs - alert.toldAtMs >= repeatMs) return tell('reminder')
  return { alert: { ...alert, finding, goodEvaluations: 0 } }

  function tell(change: 'firing' | 'reminder'): Step {
    return {
      alert: { phase: 'firing', finding, sinceMs, toldAtMs: nowMs, goodEvaluations: 0 },
      message: { change, finding, sinceMs, atMs: nowMs },
    }
  }
}

function stepGood(alert: Alert, { nowMs }: Moment): Step {
  if (alert.phase === 'pending') return {}
  const goodEvaluations = alert.goodEvaluations + 1
  if (goodEvaluations < CLOSE_AFTER) return { alert: { ...alert, goodEvaluations } }
  const { finding, sinceMs } = alert
  return { message: { change: 'resolved', finding, sinceMs, atMs: nowMs } }
}
