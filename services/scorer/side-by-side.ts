import { type FreshetError, isFreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { StageReport } from '@freshet/service/service.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { retry } from '@freshet/stage/back-off.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'

/** Works until the signal aborts; rejects when it cannot go on. */
export type Worker = (signal: AbortSignal) => Promise<void>

const BACK_OFF = { firstMs: 500, maxMs: 15_000 }
/** For what someone has to mend: asked again now and then, in case they have. */
const PATIENT_BACK_OFF = { firstMs: 5_000, maxMs: 60_000 }

export interface SideBySideOptions {
  readonly log: Log
  readonly clock: Clock
  /** Workers that the others do not need: one that fails for good is tried again now and then, and ends nobody. */
  readonly dispensable?: ReadonlySet<string>
  /** Told by name which worker has failed, and which is started, for the first time or again. */
  readonly report: Pick<StageReport, 'failing' | 'running'>
}

/**
 * Runs workers that do not depend on each other: one that fails for a while is started again and does not disturb the
 * others; when one that they need fails for good, the others are stopped before its error is thrown.
 * @param workers by name, for the log.
 */
export async function runSideBySide(
  workers: ReadonlyMap<string, Worker>,
  signal: AbortSignal,
  { log, clock, dispensable, report }: SideBySideOptions,
): Promise<void> {
  const failing = new AbortController()
  const stop = AbortSignal.any([signal, failing.signal])
  const failures: unknown[] = []
  const common = { clock, signal: stop }
  const tellAs = (name: string, what: string) => (error: unknown) => {
    log.error(`${name} ${what}`, error)
    report.failing(name, error)
  }
  const keepRunning = async ([name, work]: [string, Worker]) => {
    const start = () => {
      report.running(name)
      return work(stop)
    }
    const tryAgain = () =>
      retry(start, { ...common, backOff: BACK_OFF, onError: tellAs(name, 'failed and is started again') })
    try {
      if (!dispensable?.has(name)) return await tryAgain()
      await retry(() => tryAgain().catch(rethrowKnown), {
        ...common,
        backOff: PATIENT_BACK_OFF,
        when: () => true,
        onError: tellAs(name, 'cannot go on, the others do; it is tried again'),
      })
    } catch (error) {
      if (stop.aborted && isFreshetError(error) && error.retryable) tellStopped(name, error, log)
      else failures.push(error)
      failing.abort()
    }
  }
  await Promise.all([...workers].map(keepRunning))
  if (failures.length > 0) throw toFreshetError(failures[0])
}

/** A mistake of ours too is an error that can be waited out. */
function rethrowKnown(error: unknown): never {
  throw toFreshetError(error)
}

/** Work that the stop itself has cut off has not failed; a server that is away is worth a line even then. */
function tellStopped(name: string, { code, message }: FreshetError, log: Log): void {
  const attributes = { [ATTRIBUTES.errorType]: code }
  if (code === 'DEADLINE') log.debug(`${name} was stopped: ${message}`, attributes)
  else log.warn(`${name} was stopped while it failed: ${message}`, attributes)
}
