import { isFreshetError } from '@freshet/errors/errors.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { type AlertRoute, logAlert } from '../routes/alert-route.ts'
import type { AlertBook } from './alert-book.ts'

/** Slack takes one message a second from a webhook. */
const PACE_MS = 1_000

export interface TellOptions {
  readonly book: AlertBook
  readonly route: AlertRoute
  /** Called when people have been told, so that a restart does not tell them again. */
  readonly remember: () => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

/** Tells people what they have not been told, oldest first; until `signal` aborts. */
export async function tell(options: TellOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await tellNext(options, signal)
    await options.clock.sleep(PACE_MS, signal)
  }
}

async function tellNext({ book, route, remember, log }: TellOptions, signal: AbortSignal): Promise<void> {
  const message = book.nextUntold()
  if (message === undefined) return
  try {
    if (!(await route.deliver(message, signal))) return // it stays untold for whoever comes next
  } catch (error) {
    if (!isFreshetError(error, 'SLACK_REFUSED')) throw error
    log.error('an alert reached nobody but this log', error)
    logAlert(log, message)
  }
  book.told(message)
  await remember()
}
