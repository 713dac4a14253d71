/** In which order alerts stand, wherever they are listed. */
import type { Alert } from '@freshet/records/alert-state.ts'

const SEVERITIES = { critical: 0, warning: 1 } as const
const PHASES = { firing: 0, pending: 1, resolved: 2 } as const

/** The graver first, then the older. */
export function graver(a: Alert, b: Alert): number {
  return SEVERITIES[a.finding.severity] - SEVERITIES[b.finding.severity] || a.sinceMs - b.sinceMs
}

/** What fires first, then what may, then what is over; of each the graver first. */
export function byGravity(a: Alert, b: Alert): number {
  return PHASES[a.phase] - PHASES[b.phase] || graver(a, b)
}
