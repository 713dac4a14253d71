/**
 * The ways to people, tried in their order, one notice after the other:
 *
 *   Slack ──refused, closed, or not taken for fallbackMs──► webhook ──likewise──► log
 *
 * A way that fails is tried again all the while, with back-off and as late as it asks, so the next notice goes the first
 * way as soon as that works again. What no way takes stands in the log in time, and is tried on for hours before it is given
 * up; what every way refuses is given up at once. A way that takes nothing until somebody mends it has refused no message.
 * Whatever is given up is counted.
 */
import { FreshetError } from '@freshet/errors/errors.ts'
import type { AlertMessage } from '@freshet/records/alert-state.ts'
import type { StageReport } from '@freshet/service/service.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import type { Metrics } from '@freshet/telemetry/metrics.ts'
import type { AlertRoute, Ending, Turn } from './alert-route.ts'
import { alertNotice, type NoticeContext } from './alert-to-notice.ts'
import { logNotice } from './log-notice.ts'
import type { Notice } from './notice.ts'
import { after, type Health, isOut, isResting, outFromMs, WELL } from './ways/health.ts'
import type { Outcome, Way } from './ways/way.ts'

/** An alert that still fires is told again after hours anyway. */
const GIVE_UP_MS = 4 * 3_600_000
/** Longest sleep: who holds the turn is asked again, and so is the wall clock. */
const MAX_SLEEP_MS = 60_000

export interface RouteChainOptions {
  /** In the order in which they are preferred; none: the log is the way. */
  readonly ways: readonly Way[]
  readonly context: NoticeContext
  /** How long a way may fail before the next one is used. */
  readonly fallbackMs: number
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'add'>
  /** Of the worker `slack` or `webhook`. */
  readonly report?: Pick<StageReport, 'failing' | 'running'>
  /** What waits for people, oldest first. */
  readonly waiting?: () => readonly AlertMessage[]
  /** What people are told with every alert, such as what is silenced. */
  readonly remarks?: () => readonly string[]
  readonly random?: () => number
}

export class RouteChain implements AlertRoute {
  readonly #options: RouteChainOptions
  readonly #health = new Map<Way, Health>()
  /** What stands in the log because no way has taken it in time. */
  #logged = new Set<string>()
  readonly #saidOut = new Set<Way>()
  #turn: Promise<unknown> = Promise.resolve()
  #counts = { told: 0, givenUp: 0 }

  constructor(options: RouteChainOptions) {
    this.#options = options
  }

  deliver(message: AlertMessage, signal: AbortSignal, turn: Turn = () => true): Promise<Ending> {
    const { context, clock, remarks } = this.#options
    const notice = () => {
      const own = alertNotice(message, context, clock.nowMs())
      return { ...own, remarks: [...own.remarks, ...(remarks?.() ?? [])] }
    }
    return this.tell(notice, signal, turn)
  }

  /** For what waited behind so many others that it was pushed out, and will be tried no more. */
  dropped(message: AlertMessage): void {
    const { context, clock } = this.#options
    this.#giveUp(alertNotice(message, context, clock.nowMs()), 'too many others waited before it')
  }

  /** Whether nothing that is said now would reach people soon. */
  isMute(): boolean {
    const { ways, fallbackMs, clock } = this.#options
    const nowMs = clock.nowMs()
    return ways.length > 0 && ways.every((way) => isOut(this.#healthOf(way), fallbackMs, nowMs))
  }

  /** Messages since the start. */
  counts(): { readonly told: number; readonly givenUp: number } {
    return this.#counts
  }

  /** One at a time, in the order of the calls. @param notice made for each attempt: what is told late says so */
  tell(notice: () => Notice, signal: AbortSignal, turn: Turn): Promise<Ending> {
    const told = this.#turn.then(() => this.#tell(notice, signal, turn))
    this.#turn = told.catch(() => {}) // its caller hears of it; the next one's turn comes all the same
    return told
  }

  async #tell(notice: () => Notice, signal: AbortSignal, turn: Turn): Promise<Ending> {
    const { ways, clock } = this.#options
    if (ways.length === 0) return this.#logOnly(notice())
    const refused = new Set<Way>()
    while (!signal.aborted && turn()) {
      const now = notice()
      const ending = await this.#tryWays(now, refused, signal, turn)
      if (ending !== 'untold' || signal.aborted) return ending
      const isHopeless = ways.every((way) => refused.has(way))
      if (isHopeless || clock.nowMs() - now.atMs > GIVE_UP_MS) {
        this.#giveUp(now, this.#whyNot())
        return 'given up'
      }
      this.#logInTime(now, refused)
      await clock.sleep(this.#sleepMs(refused), signal)
    }
    return 'untold'
  }

  async #tryWays(notice: Notice, refused: Set<Way>, signal: AbortSignal, turn: Turn): Promise<Ending> {
    const { ways, fallbackMs, clock } = this.#options
    for (const way of ways) {
      if (refused.has(way)) continue
      if (!isResting(this.#healthOf(way), clock.nowMs())) {
        if (signal.aborted || !turn()) return 'untold'
        const outcome = await way.post(notice, signal)
        if (signal.aborted && outcome.kind === 'later') return 'in doubt'
        this.#learn(way, outcome)
        if (outcome.kind === 'taken') {
          this.#count(way.name)
          this.#logged.delete(notice.id)
          return 'told'
        }
        if (outcome.kind === 'refused') refused.add(way)
      }
      if (refused.has(way)) continue
      if (!isOut(this.#healthOf(way), fallbackMs, clock.nowMs())) return 'untold'
      this.#sayOut(way)
    }
    return 'untold'
  }

  #learn(way: Way, outcome: Outcome): void {
    const { clock, log, report, random = Math.random } = this.#options
    const before = this.#healthOf(way)
    const health = after(before, outcome, { nowMs: clock.nowMs(), random })
    this.#health.set(way, health)
    if (health.failingSinceMs === null) {
      if (before.failingSinceMs !== null) log.info(`${NAMES[way.name]} takes messages again`)
      if (this.#saidOut.delete(way)) report?.running(way.name)
    } else if (before.failingSinceMs === null || (health.isClosed && !before.isClosed)) {
      const error = failureOf(way, health)
      log.warn(`${NAMES[way.name]} takes no messages now; they are sent again`, {
        [ATTRIBUTES.errorType]: error.code,
        [ATTRIBUTES.exceptionMessage]: health.why,
        [ATTRIBUTES.hint]: error.hint,
      })
    }
  }

  /** A way that hiccups is no news; one that others have to stand in for is a failing worker. */
  #sayOut(way: Way): void {
    this.#saidOut.add(way)
    this.#options.report?.failing(way.name, failureOf(way, this.#healthOf(way)))
  }

  /** This notice and those behind it, once no way is left that would take them soon. */
  #logInTime(notice: Notice, refused: ReadonlySet<Way>): void {
    const { ways, fallbackMs, clock, log, context, waiting } = this.#options
    const nowMs = clock.nowMs()
    if (!ways.every((way) => refused.has(way) || isOut(this.#healthOf(way), fallbackMs, nowMs))) return
    const behind = (waiting?.() ?? [])
      .filter(({ atMs }) => nowMs - atMs >= fallbackMs)
      .map((message) => alertNotice(message, context, nowMs))
    const due = [notice, ...behind.filter(({ id }) => id !== notice.id)]
    for (const each of due) if (!this.#logged.has(each.id)) logNotice(log, each)
    this.#logged = new Set(due.map(({ id }) => id))
  }

  #sleepMs(refused: ReadonlySet<Way>): number {
    const { ways, fallbackMs, clock } = this.#options
    const nowMs = clock.nowMs()
    const moments = ways
      .filter((way) => !refused.has(way))
      .flatMap((way) => [this.#healthOf(way).restUntilMs, outFromMs(this.#healthOf(way), fallbackMs) ?? 0])
      .filter((atMs) => atMs > nowMs)
    return Math.min(MAX_SLEEP_MS, ...moments.map((atMs) => atMs - nowMs))
  }

  #giveUp(notice: Notice, why: string): void {
    const { log, metrics } = this.#options
    log.error('a message reached nobody but this log', new FreshetError('ALERT_NOT_TOLD', why))
    if (!this.#logged.delete(notice.id)) logNotice(log, notice)
    metrics.add('freshet.alerts.given_up')
    this.#counts = { ...this.#counts, givenUp: this.#counts.givenUp + 1 }
  }

  #whyNot(): string {
    return this.#options.ways.map((way) => `${NAMES[way.name]}: ${this.#healthOf(way).why}`).join('; ')
  }

  #count(route: Way['name'] | 'log'): void {
    this.#options.metrics.add('freshet.alerts.told', 1, route)
    this.#counts = { ...this.#counts, told: this.#counts.told + 1 }
  }

  #logOnly(notice: Notice): 'told' {
    logNotice(this.#options.log, notice)
    this.#count('log')
    return 'told'
  }

  #healthOf(way: Way): Health {
    return this.#health.get(way) ?? WELL
  }
}

const NAMES: Readonly<Record<Way['name'], string>> = { slack: 'Slack', webhook: 'alerts.webhook.url' }

function failureOf({ name }: Way, { isClosed, why }: Health): FreshetError {
  if (name === 'slack')
    return new FreshetError(isClosed ? 'SLACK_REFUSED' : 'SLACK_UNREACHABLE', `Slack answers ${why}`)
  return new FreshetError(isClosed ? 'WEBHOOK_REFUSED' : 'WEBHOOK_UNREACHABLE', `the webhook answers ${why}`)
}
