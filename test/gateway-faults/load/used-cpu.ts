/** Waits of more than this are nobody's. */
const REMEMBERED_MS = 10_000

/** What some threads have computed, asked back over any time that ends now. */
export class UsedCpu {
  readonly #seen: { readonly atMs: number; readonly totalMs: number }[] = []

  /** @param totalMs of CPU time since they began; times must not fall. */
  add(atMs: number, totalMs: number): void {
    this.#seen.push({ atMs, totalMs })
    while (this.#seen.length > 2 && this.#seen[1]!.atMs < atMs - REMEMBERED_MS) this.#seen.shift()
  }

  /** Milliseconds of CPU time from then to the last that was added; at most what cannot have been before. */
  sinceMs(fromMs: number): number {
    const last = this.#seen.at(-1)
    if (last === undefined) return 0
    const before = this.#seen.findLast(({ atMs }) => atMs <= fromMs) ?? this.#seen[0]!
    return last.totalMs - before.totalMs
  }
}
