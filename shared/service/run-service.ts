/** Runs one service as a process: settings in, signals heard, heartbeats out, an exit code at the end. */
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { openTelemetry } from '@freshet/telemetry/open.ts'
import { runHeartbeats } from './heartbeat-loop.ts'
import type { Service } from './service.ts'
import { ServiceState } from './service-state.ts'

/** Time to finish what is in hand after a signal; then the process ends all the same. */
const STOP_WITHIN_MS = 10_000
const HEARTBEAT_EVERY_MS = 3_000

/** 0: asked to stop, and stopped. 1: crashed, starting again may help. 2: cannot work like this; someone has to mend it. */
export type ExitCode = 0 | 1 | 2

export async function runService(name: string, service: Service, settings: Settings): Promise<ExitCode> {
  const instance = `${name}-${process.pid}`
  await using telemetry = openTelemetry({
    settings,
    service: name,
    instance,
    format: process.stderr.isTTY ? 'pretty' : 'json',
  })
  const { log } = telemetry
  const state = new ServiceState()
  using stop = stopOnSignal((why) => log.info(`${why}: finishing what is in hand`))
  const connection = connectKafka(settings.kafka, { clientId: `${instance}-heartbeat`, log })
  const beating = new AbortController()
  const heartbeats = runHeartbeats({
    connection,
    pipeline: settings.pipeline,
    service: name,
    instance,
    telemetry,
    state,
    everyMs: HEARTBEAT_EVERY_MS,
    clock: systemClock,
    signal: beating.signal,
  })
  try {
    log.info(`${name} starts`, { 'service.instance.id': instance, 'process.pid': process.pid })
    state.running()
    await service({ settings, instance, telemetry, signal: stop.signal, report: state })
    log.info(`${name} has stopped`)
    return 0
  } catch (error) {
    state.failing(error)
    log.error(`${name} cannot go on`, error)
    return isFreshetError(error) && error.code !== 'BUG' ? 2 : 1
  } finally {
    state.stopping()
    beating.abort()
    await heartbeats
  }
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
