import type { ScoreBatch } from '@freshet/records/score-batch.ts'

/** Of all rows of the window, this share is not older. */
const QUANTILES = [
  ['p50', 0.5],
  ['p99', 0.99],
] as const

const SLICES = 6
/** Ages are counted in classes, each a tenth wider than the one before: up to about a day. */
const GROWTH = Math.log(1.1)
const CLASSES = 200

/**
 * How old documents were when their scores reached the cache, from when the poller saw them, over the last `windowMs`.
 * Only news counts: what is scored again for a new model, or brought a second time after a crash, was fresh before. It
 * is told by its offsets, which lie behind those of its partition that have passed.
 */
export class Freshness {
  readonly #sliceMs: number
  #slices: { readonly endsAtMs: number; readonly counts: Float64Array }[] = []
  readonly #passed = new Map<number, number>()

  constructor({ windowMs }: { readonly windowMs: number }) {
    this.#sliceMs = windowMs / SLICES
  }

  /** @param nowMs when the cache had the batch. */
  add({ header: { partition, fromOffset, toOffset }, rows }: ScoreBatch, nowMs: number): void {
    const passed = this.#passed.get(partition)
    this.#passed.set(partition, Math.max(passed ?? -1, toOffset))
    // Of the first batch nobody knows whether it is news.
    if (passed === undefined || fromOffset <= passed) return
    const { counts } = this.#sliceAt(nowMs)
    // Rows of one page were seen at the same moment.
    for (let from = 0, to = 0; from < rows.count; from = to) {
      const asOfMs = rows.asOfMs[from]!
      while (to < rows.count && rows.asOfMs[to] === asOfMs) to++
      counts[classOf(nowMs - asOfMs)]! += to - from
    }
  }

  /** Seconds by quantile, up to a tenth too many; empty while there is nothing new. */
  quantiles(nowMs: number): ReadonlyMap<(typeof QUANTILES)[number][0], number> {
    this.#forgetBefore(nowMs)
    const counts = Array.from({ length: CLASSES }, (_, at) =>
      this.#slices.reduce((sum, slice) => sum + slice.counts[at]!, 0),
    )
    const total = counts.reduce((sum, count) => sum + count, 0)
    if (total === 0) return new Map()
    return new Map(
      QUANTILES.map(([name, share]) => {
        let left = share * total
        const at = counts.findIndex((count) => (left -= count) <= 0)
        return [name, Math.exp(at * GROWTH) / 1_000]
      }),
    )
  }

  #sliceAt(nowMs: number): { readonly counts: Float64Array } {
    const last = this.#slices.at(-1)
    if (last !== undefined && nowMs < last.endsAtMs) return last
    const slice = { endsAtMs: nowMs + this.#sliceMs, counts: new Float64Array(CLASSES) }
    this.#forgetBefore(nowMs)
    this.#slices.push(slice)
    return slice
  }

  #forgetBefore(nowMs: number): void {
    const keptMs = (SLICES - 1) * this.#sliceMs
    this.#slices = this.#slices.filter(({ endsAtMs }) => nowMs - endsAtMs < keptMs)
  }
}

/** Clocks of two machines may disagree: what seems to come from the future is new. */
function classOf(ageMs: number): number {
  return Math.min(CLASSES - 1, Math.ceil(Math.log(Math.max(1, ageMs)) / GROWTH))
}
