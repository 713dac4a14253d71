/** What the way back takes: the gateway is given so much less. */
const RESERVE_MS = 5
/** Longer ones are none at all for Node. */
const MAX_TIMER_MS = 2 ** 31 - 1
/** More the gateway does not take for a deadline; its own is shorter anyway. */
const MAX_TOLD_MS = 999_999_999

/** Aborts when the time is over, or when the caller does. */
export class CallDeadline implements Disposable {
  readonly #abort = new AbortController()
  readonly #endsAtMs: number
  readonly #timer: NodeJS.Timeout
  readonly #caller: AbortSignal | undefined
  #isOver = false
  isLate = false

  constructor(deadlineMs: number, caller: AbortSignal | undefined) {
    this.#endsAtMs = performance.now() + deadlineMs
    this.#caller = caller
    // After a standstill of this process the answer may lie in the socket already: that is read first.
    this.#timer = setTimeout(() => setImmediate(this.#expire), Math.min(deadlineMs, MAX_TIMER_MS))
    caller?.addEventListener('abort', this.#giveUp, { once: true })
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** A whole number from 1; of a short deadline the half. */
  leftForGatewayMs(): number {
    const leftMs = Math.min(MAX_TOLD_MS, this.#endsAtMs - performance.now())
    return Math.max(1, Math.floor(leftMs - Math.min(RESERVE_MS, leftMs / 2)))
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#caller?.removeEventListener('abort', this.#giveUp)
  }

  readonly #expire = () => {
    if (this.#isOver) return
    this.isLate = true
    this.#abort.abort()
  }

  readonly #giveUp = () => this.#abort.abort()
}
