import type { Clock } from '@freshet/stage/clock.ts'
import { restMsAfter } from '@freshet/stage/rest.ts'

/**
 * Leaves the machine, and the servers that are asked, to others for a share of the time. Rests are taken when enough of
 * them have come together: a timer for each page would only be late.
 */
export class Pace {
  readonly #clock: Clock
  readonly #share: number
  #workedSinceMs: number
  #owedMs = 0

  /** @param share of the time that is worked, from 0 (not included) to 1. */
  constructor(clock: Clock, share: number) {
    this.#clock = clock
    this.#share = share
    this.#workedSinceMs = clock.nowMs()
  }

  /** Called between two pieces of work. */
  async rest(signal: AbortSignal): Promise<void> {
    this.#owedMs += restMsAfter(this.#clock.nowMs() - this.#workedSinceMs, this.#share)
    if (this.#owedMs >= SHORTEST_REST_MS) {
      await this.#clock.sleep(Math.min(this.#owedMs, LONGEST_REST_MS), signal)
      this.#owedMs = 0
    }
    this.#workedSinceMs = this.#clock.nowMs()
  }
}

const SHORTEST_REST_MS = 20
/** After a server took long to answer. */
const LONGEST_REST_MS = 5_000
