import { GoldenBins } from '@freshet/model/drift/population-stability.ts'
import type { ColumnCounts } from '@freshet/model/features/columns.ts'
import type { Clock } from '@freshet/stage/clock.ts'

const SLICES = 12

/** What a model was given and what it answered, in the time of the window. Shares are of `rows`. */
export interface Drift {
  /** Documents that were looked at. */
  readonly rows: number
  readonly columns: readonly {
    readonly name: string
    /** Of the values that the model was given where the field was there; null where it never was. */
    readonly mean: number | null
    readonly missingShare: number
    readonly unknownShare: number
  }[]
  /** By output: the population stability index of its scores; null where it would say nothing. */
  readonly stability: ReadonlyMap<string, number | null>
}

export interface DriftWindowOptions {
  readonly windowMs: number
  /** What was written so far, as a row writer tells it: it only grows. All of it belongs to the window that begins. */
  readonly counts: () => readonly ColumnCounts[]
  /** By output of the model, in order: the scores of its golden rows. */
  readonly golden: ReadonlyMap<string, readonly number[]>
  readonly clock: Pick<Clock, 'nowMs'>
}

/**
 * Some time of one model's work, in slices: the oldest falls out when a new one begins. A slice begins when somebody
 * looks, which is to be more often than there are slices in the window.
 */
export class DriftWindow {
  readonly #options: DriftWindowOptions
  readonly #bins: readonly (GoldenBins | null)[]
  readonly #slices: Slice[] = []

  constructor(options: DriftWindowOptions) {
    this.#options = options
    this.#bins = [...options.golden.values()].map((scores) => GoldenBins.of(scores))
    this.#begin(options.counts().map(({ name }) => ({ name, rows: 0, missing: 0, unknown: 0, sum: 0 })))
  }

  /** @param columns of scores, one an output; NaN where there is none. */
  add(columns: readonly Float64Array[]): void {
    const slice = this.#current()
    for (const [output, bins] of this.#bins.entries()) bins?.count(columns[output]!, slice.scores[output]!)
  }

  drift(): Drift {
    this.#current()
    const before = this.#slices[0]!.counts
    const columns = this.#options.counts().map((now, index) => difference(before[index]!, now))
    return {
      rows: columns[0]?.rows ?? 0,
      columns: columns
        .filter(({ rows }) => rows > 0)
        .map(({ name, rows, missing, unknown, sum }) => ({
          name,
          mean: rows > missing ? sum / (rows - missing) : null,
          missingShare: missing / rows,
          unknownShare: unknown / rows,
        })),
      stability: new Map([...this.#options.golden.keys()].map((name, output) => [name, this.#index(output)])),
    }
  }

  #index(output: number): number | null {
    const bins = this.#bins[output]!
    if (bins === null) return null
    const total = bins.empty()
    for (const { scores } of this.#slices)
      for (const [bin, count] of scores[output]!.entries()) total[bin]! += count
    return bins.index(total)
  }

  #current(): Slice {
    const { windowMs, clock } = this.#options
    const nowMs = clock.nowMs()
    const last = this.#slices.at(-1)!
    const current = nowMs - last.beganAtMs < windowMs / SLICES ? last : this.#begin()
    while (this.#slices.length > 1 && nowMs - this.#slices[0]!.beganAtMs > windowMs) this.#slices.shift()
    return current
  }

  #begin(counts = this.#options.counts()): Slice {
    const { clock } = this.#options
    const scores = this.#bins.map((bins) => bins?.empty() ?? new Float64Array(0))
    const slice = { beganAtMs: clock.nowMs(), counts, scores }
    this.#slices.push(slice)
    return slice
  }
}

interface Slice {
  readonly beganAtMs: number
  /** When it began. */
  readonly counts: readonly ColumnCounts[]
  /** By output: rows in each bin. */
  readonly scores: readonly Float64Array[]
}

function difference(before: ColumnCounts, now: ColumnCounts): ColumnCounts {
  return {
    name: now.name,
    rows: now.rows - before.rows,
    missing: now.missing - before.missing,
    unknown: now.unknown - before.unknown,
    sum: now.sum - before.sum,
  }
}
