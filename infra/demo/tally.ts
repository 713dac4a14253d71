import { ANSWER_SOURCES, type AnswerSource } from '@freshet/records/answer.ts'

/** What the demo counts on its own side of the wire. */
export class Tally {
  /** Distinct documents, all writes of them, and those that were deleted again. */
  documents = 0
  writes = 0
  deletes = 0
  lookups = 0
  lookupsWithin100ms = 0
  lookupFailures = 0
  readonly bySource: Record<AnswerSource, number> = { live: 0, cache: 0, snapshot: 0, default: 0 }
  /** Watched documents whose score did not come within a minute. */
  neverFresh = 0
  readonly freshnessMs = new Reservoir()
  /** From a delete until the gateway knows the key no more; and those for which that took over a minute. */
  readonly goneMs = new Reservoir()
  neverGone = 0
  readonly lookupMs = new Reservoir()

  answered(source: AnswerSource | undefined, ms: number): void {
    this.lookups++
    this.lookupMs.add(ms)
    if (ms <= 100) this.lookupsWithin100ms++
    if (source !== undefined && ANSWER_SOURCES.includes(source)) this.bySource[source]++
  }

  summary() {
    return {
      documents: this.documents,
      writes: this.writes,
      deletes: this.deletes,
      freshnessMs: {
        p50: this.freshnessMs.percentile(50),
        p99: this.freshnessMs.percentile(99),
        count: this.freshnessMs.count,
        never: this.neverFresh,
      },
      goneMs: {
        p50: this.goneMs.percentile(50),
        max: this.goneMs.percentile(100),
        count: this.goneMs.count,
        never: this.neverGone,
      },
      lookups: {
        count: this.lookups,
        within100ms: this.lookupsWithin100ms,
        failed: this.lookupFailures,
        p99Ms: this.lookupMs.percentile(99),
        bySource: this.bySource,
      },
    }
  }
}

const RESERVOIR_SIZE = 10_000

/** The last 10,000 values, for percentiles. */
class Reservoir {
  readonly #values: number[] = []
  #count = 0

  add(value: number): void {
    this.#values[this.#count++ % RESERVOIR_SIZE] = value
  }

  get count(): number {
    return this.#count
  }

  /** null without values; else rounded to a tenth. */
  percentile(percent: number): number | null {
    const sorted = [...this.#values].sort((a, b) => a - b)
    const value = sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)]
    return value === undefined ? null : Math.round(value * 10) / 10
  }
}
