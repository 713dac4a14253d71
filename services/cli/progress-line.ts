import type { Clock } from '@freshet/stage/clock.ts'

const EVERY_MS = 100
/** In a file of logs. */
const SELDOM_MS = 15_000
const ERASE_LINE = '\r\u001b[2K'

/** One line on a terminal that says what is going on, and is gone in the end. Elsewhere a line now and then, when it takes long. */
export class ProgressLine implements Disposable {
  readonly #out: NodeJS.WriteStream
  readonly #clock: Pick<Clock, 'nowMs'>
  #shownAtMs: number

  constructor(out: NodeJS.WriteStream, clock: Pick<Clock, 'nowMs'>) {
    this.#out = out
    this.#clock = clock
    this.#shownAtMs = out.isTTY ? Number.NEGATIVE_INFINITY : clock.nowMs()
  }

  show(line: string): void {
    const nowMs = this.#clock.nowMs()
    if (nowMs - this.#shownAtMs < (this.#out.isTTY ? EVERY_MS : SELDOM_MS)) return
    this.#shownAtMs = nowMs
    this.#out.write(this.#out.isTTY ? ERASE_LINE + line.slice(0, this.#out.columns - 1) : `${line}\n`)
  }

  [Symbol.dispose](): void {
    if (this.#out.isTTY) this.#out.write(ERASE_LINE)
  }
}
