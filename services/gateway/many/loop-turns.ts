import { TimeSlice } from '@freshet/stage/time-slice.ts'
import { type Deadline, RESERVE_MS } from '../server/deadline.ts'

/** Steps between two looks at the clock. */
const STEPS = 16

/** Turns of the event loop: lets others have it during a request's work of many steps, as long as there is time for that. */
export class LoopTurns {
  readonly #deadline: Deadline
  readonly #slice = new TimeSlice()
  #steps = 0

  constructor(deadline: Deadline) {
    this.#deadline = deadline
  }

  /** After each step; to be awaited when it is not undefined. */
  pause(): Promise<void> | undefined {
    if (++this.#steps % STEPS !== 0) return undefined
    return performance.now() > this.#deadline.endsAtMs - RESERVE_MS ? undefined : this.#slice.pause()
  }
}
