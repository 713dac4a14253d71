export interface BreakerOptions {
  /** Misses in a row that cut the dependency off, */
  readonly misses: number
  /** for this long; then one request at a time tries it. */
  readonly restMs: number
}

/**
 * Cuts off a dependency that keeps failing, so that nobody waits for it. Refusing costs a comparison and no error
 * object. Every admission ends with one of `succeeded`, `missed` and `undecided`.
 */
export class Breaker {
  readonly #options: BreakerOptions
  #missesInARow = 0
  #closedUntilMs = 0
  #probing = false

  constructor(options: BreakerOptions) {
    this.#options = options
  }

  admits(nowMs: number): boolean {
    if (this.#missesInARow < this.#options.misses) return true
    if (this.#probing || nowMs < this.#closedUntilMs) return false
    this.#probing = true
    return true
  }

  succeeded(): void {
    this.#missesInARow = 0
    this.#probing = false
  }

  missed(nowMs: number): void {
    this.#missesInARow++
    this.#probing = false
    if (this.#missesInARow >= this.#options.misses) this.#closedUntilMs = nowMs + this.#options.restMs
  }

  /** The wait ended for a reason that says nothing about the dependency. */
  undecided(): void {
    this.#probing = false
  }
}
