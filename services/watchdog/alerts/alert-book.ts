import type { Alert, AlertMessage, AlertState } from '@freshet/records/alert-state.ts'
import { evaluate, type Judgement, type Moment } from './alerts.ts'

/** Messages kept for people who cannot be reached; beyond it the oldest is given up. */
const MAX_UNTOLD = 100

/** Which alerts are open, and what people have not been told yet. */
export class AlertBook {
  readonly #onGivenUp: (message: AlertMessage) => void
  #alerts: readonly Alert[] = []
  #untold: readonly AlertMessage[] = []

  constructor(onGivenUp: (message: AlertMessage) => void) {
    this.#onGivenUp = onGivenUp
  }

  judge(judgement: Judgement, moment: Moment): void {
    const { alerts, messages } = evaluate(this.#alerts, judgement, moment)
    this.#alerts = alerts
    this.#keep([...this.#untold, ...messages])
  }

  /** What an earlier watchdog left comes first; an alert that both know keeps the earlier one's story. */
  restore({ alerts, untold }: AlertState): void {
    const known = new Set(alerts.map(({ finding }) => finding.id))
    this.#alerts = [...alerts, ...this.#alerts.filter(({ finding }) => !known.has(finding.id))]
    this.#keep([...untold, ...this.#untold])
  }

  nextUntold(): AlertMessage | undefined {
    return this.#untold[0]
  }

  told(message: AlertMessage): void {
    this.#untold = this.#untold.filter((other) => other !== message)
  }

  state(): AlertState {
    return { version: 1, alerts: [...this.#alerts], untold: [...this.#untold] }
  }

  #keep(messages: readonly AlertMessage[]): void {
    messages.slice(0, -MAX_UNTOLD).forEach(this.#onGivenUp)
    this.#untold = messages.slice(-MAX_UNTOLD)
  }
}
