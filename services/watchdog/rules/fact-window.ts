import type { Facts } from '@freshet/records/facts.ts'
import { goesBack } from './places.ts'

/** Long enough for what follows from a dead server to be over after it is back. */
export const WINDOW_MS = 300_000
/** A few of each minute do, and what shows that something went back: who forgot that would not know that it is over. */
const SPACING_MS = 10_000

/** What was seen in the last minutes, oldest first; of who looks less often than that, the last look. */
export class FactWindow {
  #facts: readonly Facts[] = []

  /** @returns what was seen before */
  push(now: Facts): readonly Facts[] {
    const before = this.#facts.filter(({ atMs }) => atMs < now.atMs)
    const recent = before.filter(({ atMs }) => now.atMs - atMs <= WINDOW_MS)
    const earlier = recent.length > 0 ? recent : before.slice(-1)
    const last = earlier.at(-1)
    const isSpaced = last === undefined || now.atMs - last.atMs >= SPACING_MS
    const isKept = isSpaced || goesBack(now, last)
    this.#facts = isKept ? [...earlier, now] : earlier
    return earlier
  }
}
