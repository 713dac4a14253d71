import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Deadline, RESERVE_MS } from '../server/deadline.ts'

/** So long one request may have the loop for itself. */
const TURN_MS = 1
/** Steps between two looks at the clock. */
const STEPS = 16

/** Lets others have the loop now and then during work of many steps, as long as there is time for that. */
export class Turns {
  readonly #deadline: Deadline
  #since = performance.now()
  #steps = 0

  constructor(deadline: Deadline) {
    this.#deadline = deadline
  }

  /** To be awaited after each step. */
  maybe(): Promise<void> | undefined {
    if (++this.#steps % STEPS !== 0) return undefined
    const nowMs = performance.now()
    if (nowMs - this.#since < TURN_MS || nowMs > this.#deadline.endsAtMs - RESERVE_MS) return undefined
    return this.#turn()
  }

  async #turn(): Promise<void> {
    await nextTurn()
    this.#since = performance.now()
  }
}
