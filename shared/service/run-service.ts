/** Runs one service as a process: settings in, signals heard, heartbeats out, an exit code at the end. */

import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { type ErrorCode, isFreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { Replaced } from '@freshet/records/heartbeat.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { openTelemetry } from '@freshet/telemetry/open.ts'
import { runHeartbeats } from './heartbeat-loop.ts'
import { instanceName } from './instance-name.ts'
import type { Service } from './service.ts'
import { ServiceState } from './service-state.ts'
import { followTraceOrders } from './trace-orders.ts'

/** Time to finish what is in hand after a signal; then the process ends all the same. */
const STOP_WITHIN_MS = 10_000
const HEARTBEAT_EVERY_MS = 3_000
/** They can trace a document that somebody names. */
const HANDLING_DOCUMENTS: ReadonlySet<string> = new Set(['poller', 'scorer', 'gateway', 'once'])

/** 0: stopped as asked. 1: failed, and starting again may help. 2: cannot work like this; someone has to mend it. */
type ExitCode = 0 | 1 | 2

export interface Ending {
  readonly exitCode: ExitCode
  /** Why it could not go on; null when it stopped as asked. */
  readonly errorCode: ErrorCode | null
}

/** @param replaces whom a supervisor started it in place of */
export async function runService(
  name: string,
  service: Service,
  settings: Settings,
  replaces?: Replaced,
): Promise<Ending> {
  const instance = instanceName(name)
  await using telemetry = openTelemetry({
    settings,
    service: name,
    instance,
    format: process.stderr.isTTY ? 'pretty' : 'json',
  })
  const { log } = telemetry
  const state = new ServiceState()
  using stop = stopOnSignal((why) => log.info(`${why}: finishing what is in hand`))
  const context = { settings, instance, telemetry, signal: stop.signal, report: state }
  const connection = connectKafka(settings.kafka, { clientId: `${instance}-heartbeat`, log: quietLog })
  const beating = new AbortController()
  const heartbeats = runHeartbeats({
    connection,
    pipeline: settings.pipeline,
    service: name,
    instance,
    replaces,
    telemetry,
    state,
    everyMs: HEARTBEAT_EVERY_MS,
    clock: systemClock,
    signal: beating.signal,
  })
  const following = HANDLING_DOCUMENTS.has(name)
    ? followTraceOrders(
        {
          connection: connectKafka(settings.kafka, { clientId: `${instance}-orders`, log: quietLog }),
          ...{ pipeline: settings.pipeline, orders: telemetry.traced.orders, clock: systemClock, log },
        },
        AbortSignal.any([stop.signal, beating.signal]),
      )
    : undefined
  let isChecked = false
  try {
    log.info(`${name} starts`, {
      [ATTRIBUTES.serviceInstance]: instance,
      [ATTRIBUTES.processId]: process.pid,
    })
    await service.check(context)
    isChecked = true
    state.running(name)
    await service.run(context)
    log.info(`${name} has stopped`)
    state.stopping()
    return STOPPED
  } catch (error) {
    if (stop.signal.aborted && !isChecked) {
      state.stopping()
      return STOPPED
    }
    state.failing(name, error) // stays the last word
    log.error(`${name} cannot go on`, error)
    return { exitCode: exitCodeOf(error, isChecked), errorCode: toFreshetError(error).code }
  } finally {
    beating.abort()
    await Promise.all([heartbeats, following])
  }
}

const STOPPED: Ending = { exitCode: 0, errorCode: null }

/** What fails at the start is for someone to mend, even where a retry would help one day. */
function exitCodeOf(error: unknown, isChecked: boolean): ExitCode {
  if (!isFreshetError(error) || error.code === 'BUG') return 1
  return isChecked && error.retryable ? 1 : 2
}

/** The first SIGTERM or SIGINT asks; a second one, or the end of the patience, ends the process. */
function stopOnSignal(onStop: (why: string) => void): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController()
  let patience: NodeJS.Timeout | undefined
  const hear = (why: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(1)
    onStop(why)
    patience = setTimeout(() => process.exit(1), STOP_WITHIN_MS)
    patience.unref()
    controller.abort(new Error(why))
  }
  process.on('SIGTERM', hear)
  process.on('SIGINT', hear)
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(patience)
      process.off('SIGTERM', hear)
      process.off('SIGINT', hear)
    },
  }
}
