import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import type { Alert, AlertMessage } from '@freshet/records/alert-state.ts'
import type { Order } from '@freshet/records/control.ts'
import type { Facts } from '@freshet/records/facts.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import type { AlertRoute } from './alert-route.ts'
import { tellDaily } from './daily/daily-loop.ts'
import { dailyNotice } from './daily/daily-notice.ts'
import { DailyStore } from './daily/daily-store.ts'
import { DayTally } from './daily/day-figures.ts'
import type { Notice } from './notice.ts'
import { noticeContext, openRoutes } from './open-routes.ts'
import { orderRemarks } from './order-remarks.ts'
import { pingWhileWatching } from './ping.ts'

/** A look that is older than so many intervals, and at least a minute, says nothing about now. */
const STALE_LOOKS = 4
const STALE_LEAST_MS = 60_000

export interface PeopleOptions {
  /** Whether this watchdog tells people. */
  readonly speaks: () => boolean
  /** In force now. */
  readonly orders: () => readonly Order[]
  /** What waits for people, oldest first. */
  readonly waiting: () => readonly AlertMessage[]
  readonly clock: Clock
}

type PeopleContext = Pick<ServiceContext, 'settings' | 'instance' | 'report'> & {
  readonly telemetry: Pick<Telemetry, 'log' | 'metrics'>
}

/** All ways in which the watchdog reaches people: alerts, the daily line, and the ping of a dead-man's switch. */
export interface People {
  readonly route: AlertRoute
  /** A message that waited behind too many others, and is told to nobody. */
  dropped(message: AlertMessage): void
  /** Hears of each look, and of the alerts that there are then. */
  looked(facts: Facts, alerts: readonly Alert[]): void
  /** The daily line and the ping, as far as they are set, until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>
}

export function openPeople(
  { settings, instance, telemetry, report }: PeopleContext,
  { speaks, orders, waiting, clock }: PeopleOptions,
): People {
  const { log, metrics } = telemetry
  const { pingUrl, pingMethod, dailyAt, timeZone } = settings.alerts
  const routes = openRoutes(settings, {
    ...{ clock, log, metrics, report, waiting },
    remarks: () => orderRemarks(orders()),
  })
  const tally = new DayTally(clock.nowMs())
  const staleMs = Math.max(STALE_LEAST_MS, STALE_LOOKS * settings.watchdog.intervalSeconds * 1000)
  let last: { readonly facts: Facts; readonly alerts: readonly Alert[] } | null = null
  let countsBefore = routes.counts()

  const isWatching = () =>
    speaks() &&
    last !== null &&
    clock.nowMs() - last.facts.atMs <= staleMs &&
    blindness(last.facts, last.alerts) === null &&
    !routes.isMute()

  const notice = (day: string): Notice | null => {
    if (last === null) return null
    const { told, givenUp } = routes.counts()
    return dailyNotice(
      {
        ...{ day, figures: tally.figures(clock.nowMs()), alerts: last.alerts, orders: orders() },
        blindness: blindness(last.facts, last.alerts),
        messages: { told: told - countsBefore.told, givenUp: givenUp - countsBefore.givenUp },
      },
      noticeContext(settings),
    )
  }

  const onTold = () => {
    tally.startAnew(clock.nowMs())
    countsBefore = routes.counts()
  }

  const daily = (signal: AbortSignal) => {
    if (dailyAt === undefined) return []
    const connection = connectKafka(settings.kafka, { clientId: `${instance}-daily`, log })
    const store = new DailyStore(connection, { pipeline: settings.pipeline, clock, log })
    const time = { dailyAt, timeZone }
    return [tellDaily({ time, speaks, store, routes, notice, onTold, metrics, clock, log }, signal)]
  }

  const ping = (signal: AbortSignal) =>
    pingUrl === undefined
      ? []
      : [pingWhileWatching({ url: pingUrl, method: pingMethod, isWatching, clock, log, metrics }, signal)]

  return {
    route: routes,
    dropped: (message) => routes.dropped(message),
    looked(facts, alerts) {
      tally.looked(facts)
      last = { facts, alerts }
    },
    run: async (signal) => {
      await Promise.all([...daily(signal), ...ping(signal)])
    },
  }
}

/** Why the pipeline cannot be seen; null while it can. */
function blindness({ kafka }: Facts, alerts: readonly Alert[]): string | null {
  if (kafka.fault !== null) return kafka.fault.error
  const blinding = alerts.find(({ finding, phase }) => finding.blinds === true && phase !== 'resolved')
  return blinding?.finding.title ?? null
}
