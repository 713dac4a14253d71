import type { Clock } from '@freshet/stage/clock.ts'
import { restMsAfter } from '@freshet/stage/rest.ts'

/** Under a load without gaps, background work does one batch in this time. */
const PATIENCE_MS = 1_000
const MAX_REST_MS = 10_000

/**
 * Lets background work take its turns between fresh changes: it begins only while nothing fresh is in hand, one small
 * batch at a time, and then rests so long that it takes no more than its share of the time. Where fresh changes leave
 * no gap at all it still does one batch a second, so that it comes to its end. Who asks for several kinds of it gets the
 * share for each.
 */
export class BackgroundWork {
  readonly #clock: Clock
  readonly #share: number
  #inHand = 0
  #gap = Promise.withResolvers<void>()

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

  /** Does one batch when its turn comes, and resolves when the next may be asked for. */
  async doNext<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | null> {
    await this.#untilGap(signal)
    if (signal.aborted) return null
    const beganAtMs = this.#clock.nowMs()
    const result = await work()
    const tookMs = this.#clock.nowMs() - beganAtMs
    await this.#clock.sleep(Math.min(MAX_REST_MS, restMsAfter(tookMs, this.#share)), signal)
    return result
  }

  async #untilGap(signal: AbortSignal): Promise<void> {
    if (this.#inHand === 0) return
    const found = new AbortController()
    const patience = this.#clock.sleep(PATIENCE_MS, AbortSignal.any([signal, found.signal])).then(() => true)
    while (this.#inHand > 0) if (await Promise.race([patience, this.#gap.promise.then(() => false)])) break
    found.abort()
  }
}
