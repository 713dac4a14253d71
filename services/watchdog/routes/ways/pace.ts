import type { Clock } from '@freshet/stage/clock.ts'

/** Slack takes one message a second from a webhook in the long run; Teams four. */
const INTERVAL_MS = 1_000

/** Keeps posts to one address a second apart, whatever they are. */
export class Pace {
  readonly #clock: Clock
  #nextMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Waits for its turn; ends early when `signal` aborts. */
  async turn(signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.nowMs()
    // A clock that was set back makes nobody wait for longer than the interval.
    const atMs = Math.min(Math.max(nowMs, this.#nextMs), nowMs + INTERVAL_MS)
    this.#nextMs = atMs + INTERVAL_MS
    if (atMs > nowMs) await this.#clock.sleep(atMs - nowMs, signal)
  }
}
