/** Alerts as the page shows them. */
import type { Alert } from '@freshet/records/alert-state.ts'
import { byGravity } from '../../alerts/by-gravity.ts'
import { kibanaLinkOf, type Reading, runbookOf } from '../../routes/reading-links.ts'
import type { Level, ShownAlert } from './page-state.ts'

/** What is over is shown for so long. */
const OVER_SHOWN_MS = 15 * 60_000

export function alertStates(alerts: readonly Alert[], reading: Reading, nowMs: number): ShownAlert[] {
  return alerts
    .filter((alert) => alert.phase !== 'resolved' || nowMs - alert.resolvedAtMs < OVER_SHOWN_MS)
    .toSorted(byGravity)
    .map((alert) => alertState(alert, reading))
}

function alertState(alert: Alert, reading: Reading): ShownAlert {
  const { finding, phase, sinceMs, measures, flapping, heldBack } = alert
  const { id, kind, severity, title, details, measure, advice } = finding
  const resolvedAtMs = phase === 'resolved' ? alert.resolvedAtMs : null
  return {
    id,
    phase,
    severity,
    title,
    sinceMs,
    resolvedAtMs,
    details: Object.entries(details).map(([name, value]) => ({ name, value })),
    effect: advice?.effect ?? null,
    firstLook: advice?.firstLook ?? null,
    runbook: runbookOf(kind, reading),
    measure:
      measure === undefined
        ? null
        : {
            unit: measure.unit,
            threshold: measure.threshold,
            values: measures.length > 0 ? measures : [measure.value],
          },
    flapping,
    heldBack,
    kibana: kibanaLinkOf({ kind, sinceMs, overMs: resolvedAtMs }, reading) ?? null,
  }
}

/** Of the gravest that fires. */
export function gravest(alerts: readonly Alert[]): Extract<Level, 'well' | 'warning' | 'critical'> {
  const firing = alerts.filter(({ phase }) => phase === 'firing')
  if (firing.length === 0) return 'well'
  return firing.some(({ finding }) => finding.severity === 'critical') ? 'critical' : 'warning'
}
