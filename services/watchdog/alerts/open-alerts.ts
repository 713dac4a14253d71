import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import type { Alert, AlertMessage } from '@freshet/records/alert-state.ts'
import type { Order } from '@freshet/records/control.ts'
import type { Facts } from '@freshet/records/facts.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { AlertRoute } from '../routes/alert-route.ts'
import type { Judgement } from '../rules/judge.ts'
import { together } from '../together.ts'
import { AlertBook } from './alert-book.ts'
import { AlertKeeper } from './alert-keeper.ts'
import { AlertStore } from './alert-store.ts'
import { ControlView } from './control-view.ts'
import { followControl } from './follow-control.ts'
import { type Role, Speaker, standForSpeaker } from './speaker.ts'
import { tell } from './tell-loop.ts'
import { timingOf } from './timing.ts'
import { remember, watch } from './watch-loop.ts'

export interface AlertsOptions {
  readonly look: (signal: AbortSignal) => Promise<Facts>
  readonly judge: (facts: Facts) => Judgement
  readonly route: AlertRoute
  /** Told after each look, with the alerts that there are now. */
  readonly onLook: (facts: Facts, alerts: readonly Alert[]) => void
  /** A message that waited behind a hundred others, and is told to nobody. */
  readonly onGivenUp: (message: AlertMessage) => void
  readonly clock: Clock
}

/** From what is seen to what people are told. */
export interface Alerts extends AsyncDisposable {
  /** Watches and tells until `signal` aborts. @throws errors that a retry cannot help */
  run(signal: AbortSignal): Promise<void>
  role(): Role
  /** In force now. */
  orders(): readonly Order[]
  /** What waits for people, oldest first. */
  waiting(): readonly AlertMessage[]
}

export function openAlerts(
  { settings, instance, telemetry }: Pick<ServiceContext, 'settings' | 'instance' | 'telemetry'>,
  options: AlertsOptions,
): Alerts {
  const { pipeline, watchdog } = settings
  const { log } = telemetry
  const { look, judge, route, onLook, onGivenUp, clock } = options
  const connection = connectKafka(settings.kafka, { clientId: instance, log })
  const view = new ControlView(log)
  const speaker = new Speaker(instance, view)
  const store = new AlertStore(connection, { pipeline, clock, log })
  const book = new AlertBook(onGivenUp)
  const remembered = () => view.state()
  const keeper = new AlertKeeper({ instance, book, speaker, remembered, timing: timingOf(watchdog) })
  const [intervalMs, repeatMs] = [watchdog.intervalSeconds * 1000, watchdog.repeatHours * 3_600_000]
  const mayTell = (message: AlertMessage) => keeper.mayTell(message)
  const remembering = (signal: AbortSignal) => remember({ keeper, view, store, telemetry }, signal)
  const watching = (signal: AbortSignal) =>
    watch({ intervalMs, repeatMs, look, judge, keeper, view, store, onLook, clock, telemetry }, signal)
  const telling = (signal: AbortSignal) =>
    tell({ book, mayTell, route, remember: remembering, clock }, signal)
  const run = async (signal: AbortSignal) => {
    const done = new AbortController()
    const membership = Promise.all([
      followControl({ connection, pipeline, view, clock, log }, done.signal),
      standForSpeaker({ connection, pipeline, instance, speaker, view, store, clock, log }, done.signal),
    ])
    try {
      await together([watching, telling], signal)
    } finally {
      done.abort() // the turn is given up after the last word is noted
      await membership
    }
  }
  return {
    run,
    role: () => speaker.role(),
    orders: () => view.orders.inForce(clock.nowMs()),
    waiting: () => book.state().untold,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}
