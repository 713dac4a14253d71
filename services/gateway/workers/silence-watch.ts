const LOOK_EVERY_MS = 1_000
const SILENT_LOOKS = 6
/** Two minutes: a busy machine takes long to start a process. */
const START_LOOKS = 120

/**
 * Tells once when one who says something every second has said nothing for some five, or has not begun long after it was
 * started, whatever it said. Counted in looks, one a second, and not by a clock: while this process itself stands still it
 * does not look, and what was said waits to be read.
 */
export class SilenceWatch implements Disposable {
  readonly #onSilent: () => void
  readonly #everyMs: number
  #timer: NodeJS.Timeout | undefined
  #hasBegun = false
  #looks = 0

  constructor(onSilent: () => void, everyMs: number = LOOK_EVERY_MS) {
    this.#onSilent = onSilent
    this.#everyMs = everyMs
  }

  /** It was started, and is to begin. */
  start(): void {
    this.#watch(false)
  }

  /** It has begun. */
  begin(): void {
    this.#watch(true)
  }

  heard(): void {
    if (this.#hasBegun) this.#looks = 0
  }

  end(): void {
    clearInterval(this.#timer)
  }

  [Symbol.dispose](): void {
    this.end()
  }

  #watch(hasBegun: boolean): void {
    this.end()
    this.#hasBegun = hasBegun
    this.#looks = 0
    this.#timer = setInterval(() => this.#look(), this.#everyMs)
  }

  #look(): void {
    if (++this.#looks < (this.#hasBegun ? SILENT_LOOKS : START_LOOKS)) return
    this.end()
    this.#onSilent()
  }
}
