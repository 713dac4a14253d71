import type { Clock } from './clock.ts'

const MAX_KINDS = 200

/** Lets through one of each kind within an interval and counts the others: a flood of them must not flood the log. */
export class Throttle {
  readonly #intervalMs: number
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #last = new Map<string, { readonly atMs: number; heldBack: number }>()

  constructor(intervalMs: number, clock: Pick<Clock, 'nowMs'>) {
    this.#intervalMs = intervalMs
    this.#clock = clock
  }

  /**
   * @param kind whatever is the same thing again; of more than 200, some may pass too soon
   * @returns how many of its kind were held back since the last that passed; null when this one is held back
   */
  pass(kind = ''): number | null {
    const nowMs = this.#clock.nowMs()
    const last = this.#last.get(kind)
    if (last !== undefined && nowMs - last.atMs < this.#intervalMs) {
      last.heldBack++
      return null
    }
    if (this.#last.size >= MAX_KINDS) this.#last.clear()
    this.#last.set(kind, { atMs: nowMs, heldBack: 0 })
    return last?.heldBack ?? 0
  }
}
