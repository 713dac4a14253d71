import { isFreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { retry } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'

/** Works until the signal aborts; rejects when it cannot go on. */
export type Worker = (signal: AbortSignal) => Promise<void>

const BACK_OFF = { firstMs: 500, maxMs: 15_000 }

/**
 * Runs workers that do not depend on each other: one that fails for a while is started again and does not disturb the
 * others; when one fails for good, the others are stopped before its error is thrown.
 * @param workers by name, for the log.
 */
export async function runSideBySide(
  workers: ReadonlyMap<string, Worker>,
  signal: AbortSignal,
  { log, clock }: { log: Log; clock: Clock },
): Promise<void> {
  const failing = new AbortController()
  const stop = AbortSignal.any([signal, failing.signal])
  const failures: unknown[] = []
  const keepRunning = async ([name, work]: [string, Worker]) => {
    try {
      await retry(() => work(stop), {
        backOff: BACK_OFF,
        clock,
        signal: stop,
        onError: (error) => log.error(`${name} failed and is started again`, error),
      })
    } catch (error) {
      if (stop.aborted && isFreshetError(error) && error.retryable)
        log.warn(`${name} was stopped while it failed: ${error.message}`, {
          [ATTRIBUTES.errorType]: error.code,
        })
      else failures.push(error)
      failing.abort()
    }
  }
  await Promise.all([...workers].map(keepRunning))
  if (failures.length > 0) throw toFreshetError(failures[0])
}
