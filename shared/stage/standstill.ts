/** For work that may take as long as it goes on: its signal aborts when there was no progress for so long. */
export class Standstill implements Disposable {
  readonly #over = new AbortController()
  readonly #timer: NodeJS.Timeout

  constructor(limitMs: number) {
    this.#timer = setTimeout(() => this.#over.abort(), limitMs)
  }

  get signal(): AbortSignal {
    return this.#over.signal
  }

  progress(): void {
    if (!this.#over.signal.aborted) this.#timer.refresh()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }
}
