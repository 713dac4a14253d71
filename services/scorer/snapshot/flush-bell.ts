/** Asks the snapshot worker for a flush before its time: rung by whoever cannot wait for the interval. */
export class FlushBell {
  #hear: (() => void) | undefined

  /** Nothing happens while nobody listens, or when nothing is held. */
  ring(): void {
    this.#hear?.()
  }

  /** One at a time: the worker that runs now. */
  heardBy(hear: () => void): void {
    this.#hear = hear
  }
}
