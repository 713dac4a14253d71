import type { Clock } from '@freshet/stage/clock.ts'

const EVERY_MS = 100
const ERASE_LINE = '\r\u001b[2K'

/** One line on a terminal that says what is going on, and is gone in the end. Elsewhere nothing is written. */
export class ProgressLine implements Disposable {
  readonly #out: NodeJS.WriteStream
  readonly #clock: Pick<Clock, 'nowMs'>
  #shownAtMs = Number.NEGATIVE_INFINITY

  constructor(out: NodeJS.WriteStream, clock: Pick<Clock, 'nowMs'>) {
    this.#out = out
    this.#clock = clock
  }

  show(line: string): void {
    const nowMs = this.#clock.nowMs()
    if (!this.#out.isTTY || nowMs - this.#shownAtMs < EVERY_MS) return
    this.#shownAtMs = nowMs
    this.#out.write(ERASE_LINE + line.slice(0, this.#out.columns - 1))
  }

  [Symbol.dispose](): void {
    if (this.#out.isTTY) this.#out.write(ERASE_LINE)
  }
}
