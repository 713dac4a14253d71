import { once } from 'node:events'
import type { Settings } from '@freshet/config/schema.ts'
import type { Alert } from '@freshet/records/alert-state.ts'
import type { Order } from '@freshet/records/control.ts'
import type { Facts } from '@freshet/records/facts.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { PageServer, type Shown } from './serve/page-server.ts'
import { GaugeHistory } from './view/gauge-history.ts'
import type { PageState } from './view/page-state.ts'
import { HISTORY, type PageInput, toPageState } from './view/to-page-state.ts'

/** What listens there may go: another watchdog of this machine, which then was the page. */
const TRY_AGAIN_MS = 10_000
/** So many looks may be missed, and at least so long, before the watchdog counts as one that does not look. */
const MISSED_LOOKS = 4
const MISSED_LEAST_SECONDS = 60

export interface StatusPageOptions {
  readonly settings: PageInput['settings']
  readonly instance: string
  readonly clock: Clock
  readonly log: Log
}

/** What one look brought. */
export interface LookResult {
  readonly facts: Facts
  readonly alerts: readonly Alert[]
  readonly orders: readonly Order[]
  /** Whether this watchdog tells people; null while that is not known. */
  readonly speaks: boolean | null
}

/** The status page of this watchdog: what was seen last, for whoever looks. */
export class StatusPage {
  readonly #options: StatusPageOptions
  readonly #gauges = new GaugeHistory(HISTORY)
  #state: PageState
  /** Made when somebody wants it. */
  #text: string | null = null
  #looks = 0
  #server: PageServer | null = null

  constructor(options: StatusPageOptions) {
    this.#options = options
    this.#state = this.#stateOf({ facts: null, alerts: [], orders: [], speaks: null })
  }

  /** Shows a look to all who watch. */
  looked(look: LookResult): void {
    this.#looks++
    this.#state = this.#stateOf(look)
    this.#text = null
    this.#server?.send()
  }

  /** Listens until `signal` aborts. Without a port nothing is shown, and the watchdog goes on all the same. */
  async run(signal: AbortSignal): Promise<void> {
    const { settings, clock, log } = this.#options
    const { pagePort } = settings.watchdog
    if (pagePort === null) return
    for (let isTold = false; !signal.aborted; ) {
      try {
        await this.#listen({ ...settings.watchdog, pagePort }, signal)
      } catch (error) {
        if (!isTold) log.error('the status page is not shown; the watchdog goes on without it', error)
        isTold = true
        await clock.sleep(TRY_AGAIN_MS, signal)
      }
    }
  }

  async #listen(
    settings: Pick<Settings['watchdog'], 'pageHost' | 'pageKeys'> & { readonly pagePort: number },
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, log } = this.#options
    await using server = await PageServer.listen({ settings, shown: () => this.#shown(), clock })
    this.#server = server
    log.info('the status page listens', { [ATTRIBUTES.url]: server.url })
    if (!signal.aborted) await once(signal, 'abort')
    this.#server = null
  }

  #shown(): Shown {
    const { intervalSeconds, atMs } = this.#state
    const ageSeconds = Math.max(0, (this.#options.clock.nowMs() - atMs) / 1_000)
    const isFresh =
      this.#looks > 0 && ageSeconds < Math.max(MISSED_LEAST_SECONDS, intervalSeconds * MISSED_LOOKS)
    this.#text ??= JSON.stringify(this.#state)
    return { text: this.#text, ageSeconds, isFresh }
  }

  #stateOf({ speaks, ...look }: Omit<LookResult, 'facts'> & { readonly facts: Facts | null }): PageState {
    const { settings, instance, clock } = this.#options
    const nowMs = look.facts?.atMs ?? clock.nowMs()
    return toPageState({ ...look, settings, watcher: { instance, speaks }, nowMs, gauges: this.#gauges })
  }
}
