import { setTimeout as sleepFor } from 'node:timers/promises'

/** Where time comes from: the machine in production, a test's hand in simulations. */
export interface Clock {
  /** Wall-clock milliseconds since 1970. */
  nowMs(): number
  /** Resolves after `ms`, or at once when `signal` aborts: a sleeper never holds up a stop. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  async sleep(ms, signal) {
    if (signal?.aborted) return
    await sleepFor(ms, undefined, signal ? { signal } : {}).catch((error: unknown) => {
      if (!signal?.aborted) throw error
    })
  },
}
