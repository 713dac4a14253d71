/** Alerts as the page shows them. */
import { dashboardLink } from '@freshet/kibana/links.ts'
import type { Alert } from '@freshet/records/alert-state.ts'
import type { AlertState, Level } from './page-state.ts'

/** What is over is shown for so long. */
const OVER_SHOWN_MS = 15 * 60_000
/** A link begins so long before the trouble did: what led to it is part of the picture. */
const BEFORE_MS = 15 * 60_000
const PHASES = { firing: 0, pending: 1, resolved: 2 } as const
const GRAVITY = { critical: 0, warning: 1 } as const

/** Where people read more. */
export interface Reading {
  /** As `kibanaForPeople` gives it. */
  readonly kibana: string | undefined
  readonly runbookUrl: string | undefined
}

export function alertStates(alerts: readonly Alert[], reading: Reading, nowMs: number): AlertState[] {
  return alerts
    .filter((alert) => alert.phase !== 'resolved' || nowMs - alert.resolvedAtMs < OVER_SHOWN_MS)
    .toSorted(
      (a, b) =>
        PHASES[a.phase] - PHASES[b.phase] ||
        GRAVITY[a.finding.severity] - GRAVITY[b.finding.severity] ||
        a.sinceMs - b.sinceMs,
    )
    .map((alert) => alertState(alert, reading))
}

function alertState(alert: Alert, { kibana, runbookUrl }: Reading): AlertState {
  const { finding, phase, sinceMs, measures, flapping, heldBack } = alert
  const { id, kind, severity, title, details, measure, advice, runbook = kind } = finding
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
    runbook: {
      file: `docs/runbooks/${runbook}.md`,
      url: runbookUrl === undefined ? null : `${runbookUrl.replace(/\/+$/, '')}/${runbook}.md`,
    },
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
    kibana:
      kibana === undefined
        ? null
        : dashboardLink(kibana, { fromMs: sinceMs - BEFORE_MS, toMs: resolvedAtMs ?? 'now' }),
  }
}

/** Of the gravest that fires. */
export function gravest(alerts: readonly Alert[]): Extract<Level, 'well' | 'warning' | 'critical'> {
  const firing = alerts.filter(({ phase }) => phase === 'firing')
  if (firing.length === 0) return 'well'
  return firing.some(({ finding }) => finding.severity === 'critical') ? 'critical' : 'warning'
}
