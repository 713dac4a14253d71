/**
 * Findings become alerts slowly and end slowly, so that what flickers is told once:
 *
 *   nothing ──found──► pending ──forSeconds──► firing ──resolveSeconds not found──► resolved ──later──► nothing
 *                        └─not found─► nothing    ▲                                    │
 *                                                 └────────── found for forSeconds ────┘
 *
 * This file is the phases alone: what is so. What people are told of it is in telling.ts. Time in which nobody could look
 * counts for nobody: not for an alert, and not for its end.
 */
import { type Alert, type Finding, MAX_MEASURES } from '@freshet/records/alert-state.ts'
import type { Judgement } from '../rules/judge.ts'
import { byGravity } from './by-gravity.ts'

/** How slowly alerts open and close. */
export interface Timing {
  /** Not found for so long, a firing alert is over. */
  readonly resolveMs: number
  /** Between two looks at most; what is longer was not looked at. */
  readonly maxGapMs: number
  /** One that opens so often within `flapWindowMs` is flapping, until it has stood for `calmMs` as it is. */
  readonly flapOpenings: number
  readonly flapWindowMs: number
  readonly calmMs: number
}

/** When a look was made, and the one before it; 0: there was none. */
export interface Looks {
  readonly nowMs: number
  readonly lastMs: number
}

/** Beyond it the least grave are left out of a look: a pipeline in which all is wrong must still fit into a message of Kafka. */
export const MAX_ALERTS = 300
const MAX_OPENINGS = 20

/** The alerts after one look. */
export function step(
  alerts: readonly Alert[],
  { findings, blind, notKnown }: Judgement,
  looks: Looks,
  timing: Timing,
): readonly Alert[] {
  const found = new Map(findings.map((finding) => [finding.id, finding]))
  const unseenMs = unseen(looks, timing)
  const next = alerts.flatMap((alert) => {
    const finding = found.get(alert.finding.id)
    found.delete(alert.finding.id)
    if (finding !== undefined) return bad(delayed(alert, unseenMs), finding, looks.nowMs, timing)
    if (blind || notKnown.has(alert.finding.id))
      return delayed(alert, looks.lastMs === 0 ? 0 : looks.nowMs - looks.lastMs)
    return good(delayed(alert, unseenMs), looks.nowMs, timing) ?? []
  })
  return mostGrave([...next, ...[...found.values()].map((finding) => opened(finding, looks.nowMs, timing))])
}

function unseen({ nowMs, lastMs }: Looks, { maxGapMs }: Timing): number {
  return lastMs === 0 ? 0 : Math.max(0, nowMs - lastMs - maxGapMs)
}

/** The same alert, whose waiting begins so much later. */
function delayed(alert: Alert, byMs: number): Alert {
  if (byMs <= 0) return alert
  switch (alert.phase) {
    case 'pending':
      return { ...alert, badSinceMs: alert.badSinceMs + byMs }
    case 'firing':
      return alert.goodSinceMs === null ? alert : { ...alert, goodSinceMs: alert.goodSinceMs + byMs }
    case 'resolved':
      return alert.flapping ? { ...alert, resolvedAtMs: alert.resolvedAtMs + byMs } : alert
  }
}

function opened(finding: Finding, nowMs: number, timing: Timing): Alert {
  const fresh = { finding, sinceMs: nowMs, badSinceMs: nowMs, measures: [], openings: [] }
  const alert: Alert = { phase: 'pending', ...fresh, flapping: false, toldAtMs: null, heldBack: null }
  return bad(alert, finding, nowMs, timing)
}

function bad(alert: Alert, finding: Finding, nowMs: number, timing: Timing): Alert {
  const measures = [...alert.measures, ...(finding.measure ? [finding.measure.value] : [])].slice(
    -MAX_MEASURES,
  )
  const seen = { ...kept(alert), finding, measures }
  if (alert.phase === 'firing')
    return steadied({ ...seen, phase: 'firing', goodSinceMs: null }, nowMs, timing)
  const [sinceMs, badSinceMs] = alert.phase === 'pending' ? [alert.sinceMs, alert.badSinceMs] : [nowMs, nowMs]
  if (nowMs - badSinceMs < finding.forSeconds * 1000)
    return { ...seen, phase: 'pending', sinceMs, badSinceMs }
  const openings = [...recent(alert.openings, nowMs, timing), nowMs].slice(-MAX_OPENINGS)
  const flapping = alert.flapping || openings.length >= timing.flapOpenings
  return { ...seen, phase: 'firing', sinceMs, openings, flapping, goodSinceMs: null }
}

/** One that flapped and now stays is no more flapping: people are to hear that it stays. */
function steadied(alert: Alert, nowMs: number, { calmMs }: Timing): Alert {
  const openedAtMs = alert.openings.at(-1) ?? 0
  if (!alert.flapping || nowMs - openedAtMs < calmMs) return alert
  return { ...alert, flapping: false, toldAtMs: null }
}

/** @returns null when nothing is left to be known of it */
function good(alert: Alert, nowMs: number, timing: Timing): Alert | null {
  switch (alert.phase) {
    case 'pending':
      if (alert.openings.length === 0 && alert.toldAtMs === null) return null
      return { ...kept(alert), phase: 'resolved', resolvedAtMs: nowMs }
    case 'firing': {
      const goodSinceMs = alert.goodSinceMs ?? nowMs
      if (nowMs - goodSinceMs < timing.resolveMs) return { ...alert, goodSinceMs }
      return { ...kept(alert), phase: 'resolved', resolvedAtMs: nowMs }
    }
    case 'resolved': {
      const forMs = nowMs - alert.resolvedAtMs
      if (alert.flapping) return forMs < timing.calmMs ? alert : { ...alert, flapping: false }
      return alert.toldAtMs === null && forMs >= timing.flapWindowMs ? null : alert
    }
  }
}

/** What every phase has. */
function kept({ finding, sinceMs, measures, openings, flapping, toldAtMs, toldTitle, heldBack }: Alert) {
  const told = { toldAtMs, ...(toldTitle !== undefined && { toldTitle }) }
  return { finding, sinceMs, measures, openings, flapping, ...told, heldBack }
}

function recent(openings: readonly number[], nowMs: number, { flapWindowMs }: Timing): readonly number[] {
  return openings.filter((atMs) => nowMs - atMs < flapWindowMs)
}

/** Of what people were told nothing is left out: they would never hear that it is over. */
function mostGrave(alerts: readonly Alert[]): readonly Alert[] {
  if (alerts.length <= MAX_ALERTS) return alerts
  const told = ({ toldAtMs }: Alert) => (toldAtMs === null ? 1 : 0)
  return alerts.toSorted((a, b) => told(a) - told(b) || byGravity(a, b)).slice(0, MAX_ALERTS)
}
