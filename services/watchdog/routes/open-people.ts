import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import type { Alert, AlertMessage } from '@freshet/records/alert-state.ts'
import type { Order } from '@freshet/records/control.ts'
import type { Facts } from '@freshet/records/facts.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { together } from '../together.ts'
import type { AlertRoute } from './alert-route.ts'
import { tellDaily } from './daily/daily-loop.ts'
import { dailyNotice } from './daily/daily-notice.ts'
import { DailyStore } from './daily/daily-store.ts'
import { DayTally } from './daily/day-figures.ts'
import type { Notice } from './notice.ts'
import { noticeContext, openRoutes } from './open-routes.ts'
import { orderRemarks } from './order-remarks.ts'
import { pingWhileWatching } from './ping.ts'
import type { RouteChain } from './route-chain.ts'

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

export function openPeople(context: PeopleContext, options: PeopleOptions): People {
  return new RoutesToPeople(context, options)
}

class RoutesToPeople implements People {
  readonly route: RouteChain
  readonly #context: PeopleContext
  readonly #options: PeopleOptions
  readonly #tally: DayTally
  #last: { readonly facts: Facts; readonly alerts: readonly Alert[] } | null = null
  /** Messages that the daily line before spoke of. */
  #countsBefore: ReturnType<RouteChain['counts']>

  constructor(context: PeopleContext, options: PeopleOptions) {
    const { settings, telemetry, report } = context
    const { log, metrics } = telemetry
    const { orders, waiting, clock } = options
    this.#context = context
    this.#options = options
    this.#tally = new DayTally(clock.nowMs())
    this.route = openRoutes(settings, {
      ...{ clock, log, metrics, report, waiting },
      remarks: () => orderRemarks(orders()),
    })
    this.#countsBefore = this.route.counts()
  }

  dropped(message: AlertMessage): void {
    this.route.dropped(message)
  }

  looked(facts: Facts, alerts: readonly Alert[]): void {
    this.#tally.looked(facts)
    this.#last = { facts, alerts }
  }

  async run(signal: AbortSignal): Promise<void> {
    await together([(until) => this.#tellDaily(until), (until) => this.#ping(until)], signal)
  }

  async #tellDaily(signal: AbortSignal): Promise<void> {
    const { settings, instance, telemetry } = this.#context
    const { log, metrics } = telemetry
    const { speaks, clock } = this.#options
    const { dailyAt, timeZone } = settings.alerts
    if (dailyAt === undefined) return
    const connection = connectKafka(settings.kafka, { clientId: `${instance}-daily`, log })
    const store = new DailyStore(connection, { pipeline: settings.pipeline, clock, log })
    const notice = (day: string) => this.#daily(day)
    const onTold = () => {
      this.#tally.startAnew(clock.nowMs())
      this.#countsBefore = this.route.counts()
    }
    const daily = { time: { dailyAt, timeZone }, speaks, store, routes: this.route, notice, onTold }
    await tellDaily({ ...daily, metrics, clock, log }, signal)
  }

  /** The line of a day, as things are now; null while nothing was looked at yet. */
  #daily(day: string): Notice | null {
    if (this.#last === null) return null
    const { facts, alerts } = this.#last
    const { orders, clock } = this.#options
    const { told, givenUp } = this.route.counts()
    return dailyNotice(
      {
        ...{ day, figures: this.#tally.figures(clock.nowMs()), alerts, orders: orders() },
        blindness: blindness(facts, alerts),
        messages: { told: told - this.#countsBefore.told, givenUp: givenUp - this.#countsBefore.givenUp },
      },
      noticeContext(this.#context.settings),
    )
  }

  async #ping(signal: AbortSignal): Promise<void> {
    const { settings, telemetry } = this.#context
    const { log, metrics } = telemetry
    const { pingUrl: url, pingMethod: method } = settings.alerts
    if (url === undefined) return
    const isWatching = () => this.#isWatching()
    const { clock } = this.#options
    await pingWhileWatching({ url, method, isWatching, clock, log, metrics }, signal)
  }

  #isWatching(): boolean {
    const { speaks, clock } = this.#options
    if (!speaks() || this.#last === null) return false
    const { facts, alerts } = this.#last
    const { intervalSeconds } = this.#context.settings.watchdog
    const staleMs = Math.max(STALE_LEAST_MS, STALE_LOOKS * intervalSeconds * 1_000)
    return clock.nowMs() - facts.atMs <= staleMs && blindness(facts, alerts) === null && !this.route.isMute()
  }
}

/** Why the pipeline cannot be seen; null while it can. */
function blindness({ kafka }: Facts, alerts: readonly Alert[]): string | null {
  if (kafka.fault !== null) return kafka.fault.error
  const blinding = alerts.find(({ finding, phase }) => finding.blinds === true && phase !== 'resolved')
  return blinding?.finding.title ?? null
}
