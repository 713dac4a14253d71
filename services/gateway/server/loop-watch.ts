const TICK_MS = 5
/** Beyond this the loop has stood still, and requests that came in meanwhile have waited before they were seen. */
const STANDSTILL_MS = 30

/** Knows for how long the event loop has stood still, which no timer within it can bound. */
export class LoopWatch implements Disposable {
  #tickedAtMs = performance.now()
  readonly #timer = setInterval(() => {
    this.#tickedAtMs = performance.now()
  }, TICK_MS)

  /** True until the loop has turned once after a standstill: answer from memory, at once. */
  isBehind(nowMs: number): boolean {
    return nowMs - this.#tickedAtMs > TICK_MS + STANDSTILL_MS
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
