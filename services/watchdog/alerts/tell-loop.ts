import type { AlertMessage } from '@freshet/records/alert-state.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { withGrace } from '@freshet/stage/grace.ts'
import type { AlertRoute } from '../routes/alert-route.ts'
import type { AlertBook } from './alert-book.ts'

const PAUSE_MS = 1_000
/** A delivery that is begun may end, and be noted, when the watchdog is told to stop. */
const FINISH_MS = 5_000
/** Also of one that had no end by then. */
const NOTE_MS = 2_000

export interface TellOptions {
  readonly book: AlertBook
  /** Whether it is this watchdog's turn to say this. */
  readonly mayTell: (message: AlertMessage) => boolean
  readonly route: AlertRoute
  /** Writes down what is told and untold, where it can be. */
  readonly remember: (signal: AbortSignal) => Promise<void>
  readonly clock: Clock
}

/**
 * Tells people what they have not been told, oldest first; until `signal` aborts. It is written down before a delivery
 * that it begins, and after it that it is over. Who dies in between leaves a message of which nobody knows whether people
 * have it, since a webhook of Slack cannot be asked: its successor delivers it again, and says that it may be a repetition.
 * So each message is told at least once, and twice only where a watchdog died in the middle of a delivery.
 */
export async function tell(options: TellOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (!(await tellNext(options, signal))) await options.clock.sleep(PAUSE_MS, signal)
  }
}

/** @returns whether a message needs no more telling, and there may be another one */
export async function tellNext(
  { book, mayTell, route, remember, clock }: TellOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const message = book.nextUntold()
  if (message === undefined || !mayTell(message)) return false
  using finishing = withGrace(signal, FINISH_MS)
  using noting = withGrace(signal, FINISH_MS + NOTE_MS)
  book.begun(message, clock.nowMs())
  await remember(finishing.signal)
  const ending = await route.deliver(message, finishing.signal, () => mayTell(message))
  if (ending === 'in doubt') return false
  if (ending === 'untold') book.notBegun(message)
  else book.told(message)
  await remember(noting.signal)
  return ending !== 'untold'
}
