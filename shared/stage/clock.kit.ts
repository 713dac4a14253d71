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
