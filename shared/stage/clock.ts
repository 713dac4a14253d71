import { clearTimeout, setTimeout } from 'node:timers'

/** Where time comes from: the machine in production, a test's hand in simulations. */
export interface Clock {
  /** Wall-clock milliseconds since 1970. */
  nowMs(): number
  /** Resolves after `ms`, or at once when `signal` aborts: a sleeper never holds up a stop. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  // Not timers/promises: whoever ends a sleep early would pay for an AbortError and its stack, a thousand times a second.
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const wake = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      signal?.addEventListener('abort', wake)
    }),
}
