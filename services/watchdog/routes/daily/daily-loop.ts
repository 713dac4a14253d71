import type { Clock } from '@freshet/stage/clock.ts'
import { errorAttributes } from '@freshet/stage/error-attributes.ts'
import type { Log } from '@freshet/stage/log.ts'
import { timeLimit } from '@freshet/stage/time-limit.ts'
import type { Metrics } from '@freshet/telemetry/metrics.ts'
import type { Notice } from '../notice.ts'
import type { RouteChain } from '../route-chain.ts'
import type { DailyStore } from './daily-store.ts'
import { type DailyTime, dueDays } from './due.ts'

const LOOK_EVERY_MS = 10_000
/** Then it is tried anew, with figures that are of now. */
const TELL_WITHIN_MS = 600_000

export interface DailyOptions {
  readonly time: DailyTime
  /** Whether this watchdog tells people. */
  readonly speaks: () => boolean
  readonly store: Pick<DailyStore, 'load' | 'save'>
  readonly routes: Pick<RouteChain, 'tell'>
  /** The line of a day, as things are now; null while nothing was looked at yet. */
  readonly notice: (day: string) => Notice | null
  /** The line was told: what comes belongs to the next one. */
  readonly onTold: () => void
  readonly metrics: Pick<Metrics, 'add'>
  readonly clock: Clock
  readonly log: Log
}

/**
 * Tells people once a day how things are, until `signal` aborts. Kafka remembers the day when they have it: a watchdog that
 * dies in between leaves a line that comes twice, and none that does not come.
 */
export async function tellDaily(options: DailyOptions, signal: AbortSignal): Promise<void> {
  const dueDay = dueDays(options.time)
  let toldDay: string | undefined
  while (!signal.aborted) {
    const day = dueDay(options.clock.nowMs())
    if (day !== null && day !== toldDay && options.speaks() && (await tellDay(day, options, signal)))
      toldDay = day
    await options.clock.sleep(LOOK_EVERY_MS, signal)
  }
}

/**
 * @returns whether no more is to be done for this day: people have it, from us or from another watchdog, or nobody takes it.
 * What nobody took is counted and remembered as little as it was told, and its figures stay for the next line.
 */
async function tellDay(day: string, options: DailyOptions, signal: AbortSignal): Promise<boolean> {
  const { store, routes, speaks, notice, onTold, metrics, clock, log } = options
  const last = await store.load(signal).catch((error: unknown) => said('read', error))
  if (last?.day === day) return true
  const first = notice(day)
  if (first === null || signal.aborted) return false
  using limit = timeLimit(TELL_WITHIN_MS, { clock, signal })
  const ending = await routes.tell(() => notice(day) ?? first, limit.signal, speaks)
  if (ending !== 'told') return ending === 'given up'
  metrics.add('freshet.alerts.daily')
  onTold()
  const daily = { version: 1 as const, day, toldAtMs: clock.nowMs() }
  await store.save(daily, signal).catch((error: unknown) => said('written', error))
  return true

  function said(what: string, error: unknown): undefined {
    if (signal.aborted) return
    log.warn(`which daily line was told cannot be ${what}; it may be told again`, errorAttributes(error))
  }
}
