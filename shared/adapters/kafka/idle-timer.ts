/**
 * Keeps an idle connection of kafkajs 2.2.4 idle. Its request queue re-arms a timer for ever, with a negative delay
 * that Node clamps to 1 ms: 3 to 4 % of a core per process at rest, and a TimeoutNegativeWarning. With this guard it
 * arms the timer only while something waits or the broker throttles us.
 */
import { createRequire } from 'node:module'

interface RequestQueue {
  readonly pending: readonly unknown[]
  readonly throttledUntil: number
  scheduleCheckPendingRequests(): void
}

const require = createRequire(import.meta.url)
const guarded = Symbol.for('freshet.kafka.idle-timer')

/** Applies to every connection of this process, open ones too. Doing it again changes nothing. */
export function guardIdleTimer(): void {
  const prototype: RequestQueue & { [guarded]?: true } =
    require('kafkajs/src/network/requestQueue/index.js').prototype
  if (prototype[guarded]) return
  prototype[guarded] = true
  const schedule = prototype.scheduleCheckPendingRequests
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this)
  }
}
