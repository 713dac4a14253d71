/**
 * Keeps an idle connection of kafkajs 2.2.4 idle. Its request queue re-arms a timer for ever, with a negative delay
 * that Node clamps to 1 ms: 3 to 4 % of a core per process at rest, and a TimeoutNegativeWarning. With this guard it
 * arms the timer only while something waits or the broker throttles us, and reads the clock once, so that a throttle
 * which ends just then gives no negative delay either.
 *
 * It also looks for requests that have timed out ten times a second on every connection, which is a third of all that
 * wakes an idle poller. A tenth of the timeout is exact enough.
 */
import { createRequire } from 'node:module'

interface RequestQueue {
  readonly pending: readonly unknown[]
  readonly inflight: ReadonlyMap<number, SocketRequest>
  readonly throttledUntil: number
  readonly enforceRequestTimeout: boolean
  readonly requestTimeout: number
  throttleCheckTimeoutId: NodeJS.Timeout | null
  requestTimeoutIntervalId: NodeJS.Timeout | null
  isConnected(): boolean
  destroy(): void
  checkPendingRequests(): void
  scheduleCheckPendingRequests(): void
  scheduleRequestTimeoutCheck(): void
}

interface SocketRequest {
  readonly sentAt: number
  readonly requestTimeout: number
  timeoutRequest(): void
}

/** As kafkajs has it. */
const CHECK_INTERVAL_MS = 10
/** In the time that a request has: it is given up at most so much too late. */
const TIMEOUT_CHECKS = 10

const require = createRequire(import.meta.url)
const guarded = Symbol.for('freshet.kafka.idle-timer')

/** Applies to every connection of this process, open ones too. Doing it again changes nothing. */
export function guardIdleTimer(): void {
  const prototype: RequestQueue & { [guarded]?: true } =
    require('kafkajs/src/network/requestQueue/index.js').prototype
  if (prototype[guarded]) return
  prototype[guarded] = true
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.throttleCheckTimeoutId !== null) return
    const throttledMs = Math.max(0, this.throttledUntil - Date.now())
    if (this.pending.length === 0 && throttledMs === 0) return
    const check = () => {
      this.throttleCheckTimeoutId = null
      this.checkPendingRequests()
    }
    this.throttleCheckTimeoutId = setTimeout(check, throttledMs || CHECK_INTERVAL_MS)
  }
  prototype.scheduleRequestTimeoutCheck = function (this: RequestQueue) {
    if (!this.enforceRequestTimeout) return
    this.destroy()
    const check = () => {
      for (const request of this.inflight.values())
        if (Date.now() - request.sentAt > request.requestTimeout) request.timeoutRequest()
      if (!this.isConnected()) this.destroy()
    }
    this.requestTimeoutIntervalId = setInterval(check, this.requestTimeout / TIMEOUT_CHECKS)
  }
}
