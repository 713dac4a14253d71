const LOOK_EVERY_MS = 1_000
const SILENT_LOOKS = 6

/**
 * Tells once when one who says something every second has said nothing for some five. Counted in looks, one a second,
 * and not by a clock: while this process itself stands still it does not look, and what was said waits to be read.
 */
export class SilenceWatch implements Disposable {
  readonly #onSilent: () => void
  readonly #everyMs: number
  #timer: NodeJS.Timeout | undefined
  #looks = 0

  constructor(onSilent: () => void, everyMs: number = LOOK_EVERY_MS) {
    this.#onSilent = onSilent
    this.#everyMs = everyMs
  }

  begin(): void {
    this.end()
    this.#looks = 0
    this.#timer = setInterval(() => this.#look(), this.#everyMs)
  }

  heard(): void {
    this.#looks = 0
  }

  end(): void {
    clearInterval(this.#timer)
  }

  [Symbol.dispose](): void {
    this.end()
  }

  #look(): void {
    if (++this.#looks < SILENT_LOOKS) return
    this.end()
    this.#onSilent()
  }
}
