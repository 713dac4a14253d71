import type { Clock } from '@freshet/stage/clock.ts'

/** Under a load without gaps, background work does one batch in this time. */
const PATIENCE_MS = 1_000
const MAX_REST_MS = 10_000

/**
 * Lets background work take its turns between fresh changes: it begins only while nothing fresh is in hand, one small
 * batch at a time, and then rests so long that it takes no more than its share of the time. Where fresh changes leave
 * no gap at all it still does one batch a second, so that it comes to its end. Of several kinds none waits for a batch of
 * another, which may hang, but each for the rest that is due for all of them: they share the time.
 */
export class BackgroundWork {
  readonly #clock: Clock
  readonly #share: number
  #inHand = 0
  #gap = Promise.withResolvers<void>()
  /** When what was done is no more than the share. */
  #restedAtMs = 0

  /** @param share of the time, above 0 and up to 1, that background work may take. */
  constructor(share: number, clock: Clock) {
    this.#share = share
    this.#clock = clock
    this.#gap.resolve()
  }

  /** Something fresh is in hand until what is returned is disposed of. */
  holdOff(): Disposable {
    if (this.#inHand++ === 0) this.#gap = Promise.withResolvers<void>()
    return {
      [Symbol.dispose]: () => {
        if (--this.#inHand === 0) this.#gap.resolve()
      },
    }
  }

  /** Does one batch when its turn comes. @returns null when `signal` aborts before */
  async doNext<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | null> {
    await this.#untilRested(signal)
    await this.#untilGap(signal)
    if (signal.aborted) return null
    const beganAtMs = this.#clock.nowMs()
    try {
      return await work()
    } finally {
      const tookMs = Math.max(0, this.#clock.nowMs() - beganAtMs)
      this.#restedAtMs = Math.max(beganAtMs, this.#restedAtMs) + tookMs / this.#share
    }
  }

  /** The rest may grow meanwhile, by what another kind does. */
  async #untilRested(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const nowMs = this.#clock.nowMs()
      this.#restedAtMs = Math.min(this.#restedAtMs, nowMs + MAX_REST_MS) // also when the clock was put back
      if (nowMs >= this.#restedAtMs) return
      await this.#clock.sleep(this.#restedAtMs - nowMs, signal)
    }
  }

  async #untilGap(signal: AbortSignal): Promise<void> {
    if (this.#inHand === 0 || signal.aborted) return
    const found = new AbortController()
    const patience = this.#clock.sleep(PATIENCE_MS, AbortSignal.any([signal, found.signal])).then(() => true)
    while (this.#inHand > 0) if (await Promise.race([patience, this.#gap.promise.then(() => false)])) break
    found.abort()
  }
}
