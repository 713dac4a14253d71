/**
 * Alerts → messages: what of all that is so people are told now. They hear of an alert when it fires, again every
 * `repeatMs`, that it is flapping, and that it is over; what opens in one look is one message. They do not hear of what an
 * operator has silenced, nor of what follows from an alert that they know; such alerts are told when the reason ends before
 * they do. That something is over is told whatever is silenced, to whoever was told that it was there, by the title that
 * they know it by.
 */
import type { Alert, AlertMessage, Finding } from '@freshet/records/alert-state.ts'
import { graver } from './by-gravity.ts'

export interface TellingMoment {
  readonly nowMs: number
  /** A firing alert is told again after this. */
  readonly repeatMs: number
  /** Why an operator wants people not to be told of it; null where nobody minds. */
  readonly silencedBy: (finding: Finding) => string | null
}

export interface Told {
  readonly alerts: readonly Alert[]
  readonly messages: readonly AlertMessage[]
  /** Alerts that people would have heard of, and that were held back with this look. */
  readonly newlyHeldBack: number
}

type Change = AlertMessage['change']
const CHANGES: readonly Change[] = ['firing', 'flapping', 'reminder', 'resolved']

/** A message names so many; the others it counts. */
export const MAX_NAMED = 20

export function tellOf(alerts: readonly Alert[], moment: TellingMoment): Told {
  const due = dueChanges(alerts, moment)
  const reasons = new Reasons(alerts, due, moment)
  const changeOf = (alert: Alert) => (reasons.of(alert) === null ? (due.get(alert) ?? null) : null)
  return {
    alerts: alerts.map((alert) => afterwards(alert, changeOf(alert), reasons.of(alert), moment)),
    messages: CHANGES.flatMap((change) => {
      const told = alerts.filter((alert) => changeOf(alert) === change)
      return told.length === 0 ? [] : messageOf(change, told, moment)
    }),
    newlyHeldBack: alerts.filter((alert) => alert.heldBack === null && reasons.of(alert) !== null).length,
  }
}

/** Reminders go together: where one is due, those come along that would be due within half the time. */
function dueChanges(alerts: readonly Alert[], moment: TellingMoment): ReadonlyMap<Alert, Change> {
  const { nowMs, repeatMs } = moment
  const sinceTold = ({ toldAtMs }: Alert) => (toldAtMs === null ? 0 : nowMs - toldAtMs)
  const isOpen = ({ phase, flapping }: Alert) => phase === 'firing' || flapping
  const afterMs = alerts.some((alert) => isOpen(alert) && sinceTold(alert) >= repeatMs)
    ? repeatMs / 2
    : repeatMs
  const due = new Map<Alert, Change>()
  for (const alert of alerts) {
    const { phase, toldAtMs, flapping } = alert
    if (phase === 'firing' && alert.goodSinceMs !== null) continue // it may be over in a moment
    if (phase === 'firing' && toldAtMs === null) due.set(alert, flapping ? 'flapping' : 'firing')
    else if (phase === 'resolved' && toldAtMs !== null && !flapping) due.set(alert, 'resolved')
    else if (isOpen(alert) && toldAtMs !== null && sinceTold(alert) >= afterMs) due.set(alert, 'reminder')
  }
  return due
}

/** Why people are not told of alerts that are due. */
class Reasons {
  readonly #byId: ReadonlyMap<string, Alert>
  readonly #blinding: Alert | undefined
  readonly #due: ReadonlyMap<Alert, Change>
  readonly #moment: TellingMoment
  readonly #known = new Map<Alert, string | null>()

  constructor(alerts: readonly Alert[], due: ReadonlyMap<Alert, Change>, moment: TellingMoment) {
    this.#byId = new Map(alerts.map((alert) => [alert.finding.id, alert]))
    this.#blinding = alerts.find((alert) => alert.finding.blinds && hasEffects(alert, moment))
    this.#due = due
    this.#moment = moment
  }

  /** null: nothing is due, or nothing keeps people from hearing it. */
  of(alert: Alert): string | null {
    const known = this.#known.get(alert)
    if (known !== undefined) return known
    const change = this.#due.get(alert)
    const isHeard = change === undefined || change === 'resolved'
    const reason = isHeard ? null : (this.#moment.silencedBy(alert.finding) ?? this.#follows(alert))
    this.#known.set(alert, reason)
    return reason
  }

  /** Both are told at once where both open in this look. A cause that is only pending may fire yet, and is waited for. */
  #follows(alert: Alert): string | null {
    const cause = this.#causeOf(alert)
    if (cause === undefined) return null
    const opens = (one: Alert) => this.#due.has(one) && this.#due.get(one) !== 'reminder'
    if (cause.phase === 'firing' && opens(cause) && opens(alert) && this.of(cause) === null) return null
    return `follows from ${cause.finding.id}`
  }

  #causeOf({ finding }: Alert): Alert | undefined {
    if (finding.blinds) return undefined
    if (this.#blinding !== undefined) return this.#blinding
    const cause = this.#byId.get(finding.causedBy ?? '')
    if (cause === undefined || !hasEffects(cause, this.#moment)) return undefined
    return this.#leadsTo(cause, finding.id) ? undefined : cause
  }

  /** Two that name each other as the cause would both be held back for ever. */
  #leadsTo(cause: Alert, id: string): boolean {
    const seen = new Set<string>()
    let at: Alert | undefined = cause
    while (at !== undefined) {
      if (at.finding.id === id || seen.has(at.finding.id)) return true
      seen.add(at.finding.id)
      at = this.#byId.get(at.finding.causedBy ?? '')
    }
    return false
  }
}

/** What a cause did may last a little longer than itself. */
const AFTERMATH_MS = 60_000

function hasEffects(alert: Alert, { nowMs }: TellingMoment): boolean {
  return (
    alert.phase !== 'resolved' || (alert.openings.length > 0 && nowMs - alert.resolvedAtMs < AFTERMATH_MS)
  )
}

function afterwards(
  alert: Alert,
  change: Change | null,
  heldBack: string | null,
  { nowMs }: TellingMoment,
): Alert {
  if (change === null) return alert.heldBack === heldBack ? alert : { ...alert, heldBack }
  const { toldTitle = alert.finding.title, ...told } = { ...alert, heldBack: null }
  return change === 'resolved' ? { ...told, toldAtMs: null } : { ...told, toldTitle, toldAtMs: nowMs }
}

function messageOf(change: Change, alerts: readonly Alert[], { nowMs }: TellingMoment): AlertMessage {
  const named = alerts.toSorted(graver).slice(0, MAX_NAMED)
  return {
    id: `${nowMs}-${change}`,
    change,
    atMs: nowMs,
    alerts: named.map(({ finding, toldTitle, sinceMs, measures, openings }) => ({
      finding: change === 'resolved' ? { ...finding, title: toldTitle ?? finding.title } : finding,
      sinceMs: change === 'flapping' ? (openings[0] ?? sinceMs) : sinceMs,
      measures: [...measures],
    })),
    more: alerts.length - named.length,
    begunAtMs: null,
  }
}
