import type { SampledPair } from '@freshet/records/shadow-report.ts'

/** Enough that a rank correlation is right within about 0.03. */
export const SAMPLE_PAIRS = 1_000

/**
 * A uniform sample of pairs, of bounded size: each pair draws a number, and the lowest stay. So the lowest of two
 * samples together are a sample of both.
 */
export class Sample {
  readonly #random: () => number
  #pairs: SampledPair[] = []
  /** None above this one can get in; 1 while there is room. */
  #limit = 1

  constructor(random: () => number) {
    this.#random = random
  }

  get pairs(): readonly SampledPair[] {
    return this.#pairs
  }

  add(current: number, shadow: number): void {
    const priority = this.#random()
    if (priority >= this.#limit) return
    this.#pairs.push([priority, current, shadow])
    if (this.#pairs.length < 2 * SAMPLE_PAIRS) return
    this.#pairs = lowest(this.#pairs)
    this.#limit = this.#pairs.at(-1)![0]
  }
}

/** At most SAMPLE_PAIRS of them, by rising priority. */
export function lowest(pairs: readonly SampledPair[]): SampledPair[] {
  return pairs.toSorted((a, b) => a[0] - b[0]).slice(0, SAMPLE_PAIRS)
}
