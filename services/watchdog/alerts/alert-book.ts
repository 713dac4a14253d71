import type { Alert, AlertMessage, AlertState } from '@freshet/records/alert-state.ts'
import type { Judgement } from '../rules/judge.ts'
import { step, type Timing } from './alerts.ts'
import { fitAlerts, fitUntold } from './fit-state.ts'
import { MAX_NAMED, type TellingMoment, tellOf } from './telling.ts'

/** Messages kept for people who cannot be reached; beyond it the oldest is given up. */
const MAX_UNTOLD = 100

/** What the book is kept by; the rest of a state says who wrote it. */
export type BookState = Pick<AlertState, 'lookedAtMs' | 'alerts' | 'untold'>

/** Which alerts there are, and what people have not been told yet. */
export class AlertBook {
  readonly #onGivenUp: (message: AlertMessage) => void
  #lookedAtMs = 0
  #alerts: readonly Alert[] = []
  #untold: readonly AlertMessage[] = []

  constructor(onGivenUp: (message: AlertMessage) => void) {
    this.#onGivenUp = onGivenUp
  }

  /** @returns how many alerts were held back from people with this look */
  judge(judgement: Judgement, timing: Timing, moment: TellingMoment): number {
    const { nowMs } = moment
    const alerts = step(this.#alerts, judgement, { nowMs, lastMs: this.#lookedAtMs }, timing)
    const told = tellOf(alerts, moment)
    this.#lookedAtMs = nowMs
    this.#alerts = told.alerts
    this.#keep([...this.#untold, ...told.messages])
    return told.newlyHeldBack
  }

  /**
   * The story that another watchdog left goes on, whole: what this one knew before may long be over, and told to be. Its
   * own remains what it told while nobody spoke, of what blinds it: no other one knows that.
   */
  restore({ lookedAtMs, alerts, untold }: BookState): void {
    const left = new Map(alerts.map((alert) => [alert.finding.id, alert]))
    const own = this.#alerts.filter((alert) => isOwnStory(alert, left.get(alert.finding.id)))
    const ownIds = new Set(own.map(({ finding }) => finding.id))
    const known = new Set(alerts.filter(({ toldAtMs }) => toldAtMs !== null).map(({ finding }) => finding.id))
    const news = this.#untold.filter((message) =>
      message.alerts.every(({ finding }) => finding.blinds && !known.has(finding.id)),
    )
    this.#alerts = [...alerts.filter(({ finding }) => !ownIds.has(finding.id)), ...own]
    if (this.#lookedAtMs === 0) this.#lookedAtMs = lookedAtMs
    this.#keep([...untold, ...news])
  }

  alerts(): readonly Alert[] {
    return this.#alerts
  }

  has(id: string): boolean {
    return this.#alerts.some(({ finding }) => finding.id === id)
  }

  /**
   * Forgets what another watchdog tells, and what is untold of it: all that the other one remembers, and all but what this
   * one told while nobody spoke, of what blinds it.
   */
  keepOwn(remembered: readonly Alert[]): void {
    const others = new Map(remembered.map((alert) => [alert.finding.id, alert]))
    const handedOver = new Set(
      this.#alerts
        .filter((alert) => knowsOpening(others.get(alert.finding.id), alert))
        .map(({ finding }) => finding.id),
    )
    this.#alerts = this.#alerts.filter((alert) => isOwnStory(alert, others.get(alert.finding.id)))
    this.#untold = this.#untold.filter(({ alerts }) =>
      alerts.every(({ finding }) => finding.blinds && !handedOver.has(finding.id)),
    )
  }

  nextUntold(): AlertMessage | undefined {
    return this.#untold[0]
  }

  /** A delivery begins; until `told` nobody knows how it ends. @returns the message as it is now kept */
  begun(message: AlertMessage, atMs: number): AlertMessage {
    const begun = { ...message, begunAtMs: atMs }
    this.#untold = this.#untold.map((other) => (other.id === message.id ? begun : other))
    return begun
  }

  /** Its delivery ended, and nobody got it by that. @param message as it was before it began */
  notBegun(message: AlertMessage): void {
    this.#untold = this.#untold.map((other) => (other.id === message.id ? message : other))
  }

  told({ id }: AlertMessage): void {
    this.#untold = this.#untold.filter((other) => other.id !== id)
  }

  state(): BookState {
    return { lookedAtMs: this.#lookedAtMs, alerts: fitAlerts(this.#alerts), untold: [...this.#untold] }
  }

  #keep(messages: readonly AlertMessage[]): void {
    const joined = messages.reduce<AlertMessage[]>(join, [])
    joined.slice(0, -MAX_UNTOLD).forEach(this.#onGivenUp)
    this.#untold = fitUntold(joined.slice(-MAX_UNTOLD))
  }
}

/** @param left what the other one knows of it. It knows this very opening only from whoever told it. */
function isOwnStory({ finding, toldAtMs, openings }: Alert, left: Alert | undefined): boolean {
  if (!finding.blinds || toldAtMs === null) return false
  if (left === undefined) return true
  return left.toldAtMs === null && !knowsOpening(left, { openings })
}

function knowsOpening(left: Alert | undefined, { openings }: Pick<Alert, 'openings'>): boolean {
  return left?.openings.includes(openings.at(-1) ?? 0) === true
}

/** Neighbours that say the same of different alerts, while both wait, become one: people who were out of reach read less. */
function join(messages: AlertMessage[], next: AlertMessage): AlertMessage[] {
  const last = messages.at(-1)
  if (last === undefined || last.change !== next.change || last.begunAtMs !== null || next.begunAtMs !== null)
    return [...messages, next]
  const alerts = [...last.alerts, ...next.alerts]
  const named = alerts.slice(0, MAX_NAMED)
  const more = last.more + next.more + alerts.length - named.length
  return [...messages.slice(0, -1), { ...next, alerts: named, more }]
}
