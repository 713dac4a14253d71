/**
 * The population stability index of scores against the model's golden ones: how differently two sets of numbers fall
 * into bins that hold equal shares of the first. Below 0.1 they are alike, above 0.25 they are not; what lies between is
 * worth a look. Pure.
 */

/** With fewer golden rows a bin would hold too few for its share to mean anything, so there are fewer bins. */
const GOLDEN_ROWS_IN_A_BIN = 20
const MAX_BINS = 10
const MIN_BINS = 3
/** Below this, chance alone would look like drift. */
export const MIN_ROWS = 1_000

export class GoldenBins {
  /** Upper bounds, each inclusive, of all bins but the last. */
  readonly #bounds: Float64Array
  readonly #expected: readonly number[]

  /** @returns null where the golden scores are too few, or too much alike, to be compared with. */
  static of(golden: readonly number[]): GoldenBins | null {
    const bins = Math.min(MAX_BINS, Math.floor(golden.length / GOLDEN_ROWS_IN_A_BIN))
    const sorted = Float64Array.from(golden).sort()
    const bounds = new Set<number>()
    for (let bin = 1; bin < bins; bin++) bounds.add(sorted[Math.ceil((bin * sorted.length) / bins) - 1]!)
    bounds.delete(sorted.at(-1)!) // nothing would lie above it
    return bounds.size + 1 < MIN_BINS ? null : new GoldenBins(Float64Array.from(bounds), golden)
  }

  private constructor(bounds: Float64Array, golden: readonly number[]) {
    this.#bounds = bounds
    const counts = this.empty()
    this.count(Float64Array.from(golden), counts)
    this.#expected = shares(counts)
  }

  /** One count for each bin. */
  empty(): Float64Array {
    return new Float64Array(this.#bounds.length + 1)
  }

  /** NaN, a score that there is not, counts nowhere. */
  count(scores: Float64Array, into: Float64Array): void {
    for (const score of scores) if (!Number.isNaN(score)) into[this.#binOf(score)]!++
  }

  /** @returns null below a thousand scores. */
  index(counts: Float64Array): number | null {
    if (sum(counts) < MIN_ROWS) return null
    const found = shares(counts)
    return this.#expected.reduce(
      (index, expected, bin) => index + (found[bin]! - expected) * Math.log(found[bin]! / expected),
      0,
    )
  }

  #binOf(score: number): number {
    let from = 0
    let to = this.#bounds.length
    while (from < to) {
      const middle = (from + to) >> 1
      if (score <= this.#bounds[middle]!) to = middle
      else from = middle + 1
    }
    return from
  }
}

/** Half a row more in each bin: an empty one is rare, not impossible, and the logarithm stays finite. */
function shares(counts: Float64Array): number[] {
  const total = sum(counts) + counts.length / 2
  return Array.from(counts, (count) => (count + 0.5) / total)
}

function sum(counts: Float64Array): number {
  return counts.reduce((total, count) => total + count, 0)
}
