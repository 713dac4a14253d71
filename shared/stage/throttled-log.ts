import { type FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import { ATTRIBUTES } from './attributes.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import { Throttle } from './throttle.ts'

const INTERVAL_MS = 60_000

/** Lines about what fails again and again: of each message and code one a minute, with the number of failures that it stands for. */
export class ThrottledLog {
  readonly #log: Pick<Log, 'info' | 'error'>
  readonly #lines: Throttle

  constructor(log: Pick<Log, 'info' | 'error'>, clock: Pick<Clock, 'nowMs'>) {
    this.#log = log
    this.#lines = new Throttle(INTERVAL_MS, clock)
  }

  error(message: string, error: unknown): void {
    const heldBack = this.#lines.pass(`${message} ${toFreshetError(error).code}`)
    if (heldBack !== null) this.#log.error(message, error, { [ATTRIBUTES.rows]: heldBack + 1 })
  }

  /** For a failure that is somebody else's to mend. */
  info(message: string, error: FreshetError): void {
    const heldBack = this.#lines.pass(`${message} ${error.code}`)
    if (heldBack === null) return
    const attributes = { [ATTRIBUTES.rows]: heldBack + 1, [ATTRIBUTES.errorType]: error.code }
    this.#log.info(`${message}: ${error.message}`, attributes)
  }
}
