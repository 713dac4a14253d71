/** So many of something in each second of a clock that only goes forward, and no more. */
export class PerSecond {
  readonly #most: number
  #second = 0
  #taken = 0

  constructor(most: number) {
    this.#most = most
  }

  /** @returns false when the second has had its number. @param nowMs of `performance.now()` */
  take(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#taken = 0
    }
    return this.#taken++ < this.#most
  }
}
