import type { Clock } from './clock.ts'

export interface HandClock extends Clock {
  /** What it shows; a test may set it. */
  atMs: number
  /** How long each sleep would have taken. */
  readonly sleeps: readonly number[]
}

/** A clock that a test moves by hand. A sleep takes no time, but moves the clock on by what was slept. */
export function handClock(atMs = 0): HandClock {
  const sleeps: number[] = []
  const clock: HandClock = {
    atMs,
    sleeps,
    nowMs: () => clock.atMs,
    async sleep(ms) {
      sleeps.push(ms)
      clock.atMs += ms
    },
  }
  return clock
}

export interface SteppedClock extends Clock {
  /** Moves on to when the next sleeper wakes, and wakes it. */
  step(): void
}

/** A clock that stands still while there is work, and moves when a test says so: sleeps take their time on it. */
export function steppedClock(): SteppedClock {
  let nowMs = 0
  const sleepers = new Set<{ readonly dueMs: number; readonly wake: () => void }>()
  return {
    nowMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const wake = () => {
          sleepers.delete(sleeper)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        const sleeper = { dueMs: nowMs + ms, wake }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', wake)
      }),
    step() {
      const next = [...sleepers].reduce((first, one) => (one.dueMs < first.dueMs ? one : first))
      nowMs = Math.max(nowMs, next.dueMs)
      next.wake()
    },
  }
}
