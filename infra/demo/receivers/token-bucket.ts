/** So many posts a second in the long run, and a few at once in the short. */
export class TokenBucket {
  readonly #perSecond: number
  readonly #burst: number
  #tokens: number
  #atMs: number | undefined

  constructor({ perSecond, burst }: { readonly perSecond: number; readonly burst: number }) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#tokens = burst
  }

  /** @returns 0, or in how many whole seconds there is one again */
  take(atMs: number): number {
    const passedMs = Math.max(0, atMs - (this.#atMs ?? atMs))
    this.#tokens = Math.min(this.#burst, this.#tokens + (passedMs / 1000) * this.#perSecond)
    this.#atMs = atMs
    if (this.#tokens < 1) return Math.max(1, Math.ceil((1 - this.#tokens) / this.#perSecond))
    this.#tokens--
    return 0
  }
}
