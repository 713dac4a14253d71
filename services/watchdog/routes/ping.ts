import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import type { Metrics } from '@freshet/telemetry/metrics.ts'
import { inWords, readAnswer, reasonOf } from './ways/http-answer.ts'

const EVERY_MS = 60_000
/** Whoever watches again says so soon. */
const LOOK_AGAIN_MS = 1_000
const TIMEOUT_MS = 10_000

export interface PingOptions {
  readonly url: string
  readonly method: 'GET' | 'POST'
  /** Whether the watchdog sees, judges, and can tell people: only then somebody may rely on it. */
  readonly isWatching: () => boolean
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'add'>
}

/** Tells a dead-man's switch once a minute that somebody watches, until `signal` aborts. A ping that fails is only said. */
export async function pingWhileWatching(options: PingOptions, signal: AbortSignal): Promise<void> {
  const { isWatching, clock, log, metrics } = options
  let isFailing = false
  while (!signal.aborted) {
    const isDue = isWatching()
    if (isDue) {
      const failure = await ping(options, signal)
      if (signal.aborted) return
      metrics.add('freshet.alerts.pings', 1, failure === null ? 'answered' : 'failed')
      if (failure !== null && !isFailing)
        log.warn('alerts.pingUrl does not answer as it should; it is asked again every minute', {
          [ATTRIBUTES.exceptionMessage]: failure,
        })
      if (failure === null && isFailing) log.info('alerts.pingUrl answers again')
      isFailing = failure !== null
    }
    await clock.sleep(isDue ? EVERY_MS : LOOK_AGAIN_MS, signal)
  }
}

/** @returns what went wrong, without the address: who has it can keep the switch quiet */
async function ping({ url, method, clock }: PingOptions, signal: AbortSignal): Promise<string | null> {
  try {
    const response = await fetch(url, {
      method,
      headers: { 'user-agent': 'freshet' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    const answer = await readAnswer(response, { address: url, nowMs: clock.nowMs() })
    return response.ok ? null : inWords(answer)
  } catch (error) {
    return reasonOf(error)
  }
}
