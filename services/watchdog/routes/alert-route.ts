import type { AlertMessage } from '@freshet/records/alert-state.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Log } from '@freshet/stage/log.ts'
import { alertText } from './slack-message.ts'

/** A way to people. */
export interface AlertRoute {
  /**
   * Resolves when people have the message, however long that takes, or when `signal` aborts.
   * @param turn asked right before each attempt, retries included
   * @returns whether they have it
   * @throws SLACK_REFUSED when they never will
   */
  deliver(message: AlertMessage, signal: AbortSignal, turn?: Turn): Promise<boolean>
}

/**
 * Whether it is still this watchdog's turn to speak: a process that slept may wake up when another one has long taken
 * over, and no signal has reached it yet. Where it says no, `deliver` resolves to false without a further attempt.
 */
export type Turn = () => boolean

/** For pipelines without Slack, and for messages that Slack refuses. */
export function logAlert(log: Log, message: AlertMessage): void {
  for (const { finding } of message.alerts)
    log.warn(alertText(message), {
      [ATTRIBUTES.eventName]: 'freshet.alert',
      [ATTRIBUTES.alertChange]: message.change,
      [ATTRIBUTES.alertId]: finding.id,
      [ATTRIBUTES.alertDetails]: Object.entries(finding.details)
        .map(([name, value]) => `${name}: ${value}`)
        .join('; '),
    })
}

export function logRoute(log: Log): AlertRoute {
  return {
    async deliver(message) {
      logAlert(log, message)
      return true
    },
  }
}
