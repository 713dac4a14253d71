import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { silentSecondsOf } from '@freshet/config/alert-rules.ts'
import type { Settings } from '@freshet/config/schema.ts'
import type { AlertState } from '@freshet/records/alert-state.ts'
import type { Facts } from '@freshet/records/facts.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Metrics } from '@freshet/telemetry/metrics.ts'
import { ControlView } from '../alerts/control-view.ts'
import { followControl } from '../alerts/follow-control.ts'
import { openLook } from '../look/open-look.ts'
import { together } from '../together.ts'
import { GaugeHistory } from './view/gauge-history.ts'
import type { PageState } from './view/page-state.ts'
import { HISTORY, toPageState } from './view/to-page-state.ts'

/** What the watchdogs remember is their view of now while it is not older. */
const REMEMBERED_MS = 60_000
/** Until then who is not heard yet may still be heard. */
const FIRST_WORD_MS = 8_000

/**
 * Looks at a pipeline as a watchdog does, and judges nothing: alerts are those that the watchdogs have written down.
 * Needs none of them to run.
 * @returns what each look brought, until `signal` aborts
 * @throws CONFIG_INVALID
 */
export async function* followPipeline(
  {
    settings,
    instance,
    everyMs,
    clock,
  }: {
    settings: Settings
    instance: string
    everyMs: number
    clock: Clock
  },
  signal: AbortSignal,
): AsyncGenerator<PageState, void, undefined> {
  const ended = new AbortController()
  const until = AbortSignal.any([signal, ended.signal])
  await using look = openLook(
    { settings, instance, telemetry: { log: quietLog, metrics: new Metrics() } },
    clock,
  )
  const view = new ControlView(quietLog)
  const connection = connectKafka(settings.kafka, { clientId: instance, log: quietLog })
  const control = { connection, pipeline: settings.pipeline, view, clock, log: quietLog }
  const following = together([(end) => look.run(end), (end) => followControl(control, end)], until)
  following.catch(() => ended.abort()) // thrown below
  const toState = stateMaker({ settings, instance, everyMs, view }, clock.nowMs())
  try {
    while (!until.aborted) {
      const facts = await look.look(until)
      if (until.aborted) return
      yield toState(facts)
      await clock.sleep(everyMs, until)
    }
  } finally {
    ended.abort()
    await following
  }
}

/** What a look is shown as; what was seen before is remembered for the sparklines. */
function stateMaker(
  {
    settings,
    instance,
    everyMs,
    view,
  }: {
    readonly settings: Settings
    readonly instance: string
    readonly everyMs: number
    readonly view: ControlView
  },
  beganAtMs: number,
): (facts: Facts) => PageState {
  const gauges = new GaugeHistory(HISTORY)
  const intervalSeconds = everyMs / 1_000
  const shown = { ...settings, watchdog: { ...settings.watchdog, intervalSeconds } }
  return (facts) => {
    const nowMs = facts.atMs
    const speaker = view.speaker()
    const isHeard = facts.instances.length > 0 || facts.kafka.fault !== null
    return toPageState({
      settings: shown,
      watcher: {
        instance: speaker ?? instance,
        speaks: isHeardOf(speaker, facts, silentSecondsOf(settings)) ? true : null,
      },
      nowMs,
      facts: isHeard || nowMs - beganAtMs > FIRST_WORD_MS ? facts : null,
      alerts: alertsOf(view.state(), nowMs),
      orders: view.orders.inForce(nowMs),
      gauges,
    })
  }
}

/** Whether the watchdog that took over last still lives. */
function isHeardOf(
  speaker: string | undefined,
  { instances, atMs }: Pick<Facts, 'instances' | 'atMs'>,
  silentSeconds: number,
): boolean {
  return instances.some(
    ({ heartbeat: { service, instance, status }, heardAtMs }) =>
      service === 'watchdog' &&
      instance === speaker &&
      status !== 'stopping' &&
      atMs - heardAtMs <= silentSeconds * 1_000,
  )
}

function alertsOf(state: AlertState | undefined, nowMs: number): AlertState['alerts'] {
  return state === undefined || nowMs - state.lookedAtMs > REMEMBERED_MS ? [] : state.alerts
}
