import { setImmediate as nextTurn } from 'node:timers/promises'

/**
 * Long work on the event loop, in slices: whoever does it asks between two small steps (well below a millisecond each)
 * whether the slice is over, and if so lets the loop turn once. So the loop is held for little more than a millisecond at a time.
 */
export class TimeSlice {
  #beganAtMs = performance.now()

  /** To be awaited when it is not undefined: a promise is made only when the slice is over. */
  pause(): Promise<void> | undefined {
    return performance.now() - this.#beganAtMs < SLICE_MS ? undefined : this.#rest()
  }

  async #rest(): Promise<void> {
    await nextTurn()
    this.#beganAtMs = performance.now()
  }
}

const SLICE_MS = 1
