const TICK_MS = 5
/** A tick later than this was held up: what is read in the same turn of the loop may have lain in its socket since. */
const HELD_UP_MS = 2
/** Beyond this the loop has stood still, and requests that came in meanwhile have waited before they were seen. */
const STANDSTILL_MS = 30

/** Knows for how long the event loop has stood still, which no timer within it can bound. */
export class LoopWatch implements Disposable {
  #dueAtMs = performance.now() + TICK_MS
  /** While the turn after a standstill reads its sockets: since when the loop stood still. */
  #stoodSinceMs: number | undefined
  #ticks = 0
  readonly #timer = setInterval(() => this.#tick(), TICK_MS)

  /** Turns of the loop, counted in steps of 5 ms. */
  get ticks(): number {
    return this.#ticks
  }

  /**
   * The earliest moment at which a request that is seen now can have arrived. The loop may stand still before this turn
   * reads its sockets (a long callback) or while it does so (many requests); both count.
   */
  arrivedAtMs(nowMs: number): number {
    return Math.min(nowMs, this.#stoodSinceMs ?? this.#dueAtMs)
  }

  /** True until the loop has turned once after a standstill: answer from memory, at once. */
  isBehind(nowMs: number): boolean {
    return nowMs - this.arrivedAtMs(nowMs) > STANDSTILL_MS
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  /** Timers run before sockets are read, so the mark stays for this turn's reading, and is taken away behind it. */
  #tick(): void {
    this.#ticks++
    const nowMs = performance.now()
    if (nowMs - this.#dueAtMs > HELD_UP_MS) {
      this.#stoodSinceMs = this.#dueAtMs
      setImmediate(() => {
        this.#stoodSinceMs = undefined
      })
    }
    this.#dueAtMs = nowMs + TICK_MS
  }
}
