import { lowest, Sample } from '@freshet/model/shadow/sample.ts'
import type { ShadowReport } from '@freshet/records/shadow-report.ts'

/** Which two models are compared, since when, and where. */
export interface Comparison {
  /** `name@version` */
  readonly shadow: string
  readonly current: string
  readonly sinceMs: number
  readonly instance: string
}

/** What this instance has seen of one comparison, since it reported last. Pure. */
export class ShadowBook {
  readonly comparison: Comparison
  readonly outputs: readonly string[]
  readonly #outputs: { readonly name: string; sums: Sums; readonly sample: Sample }[]
  readonly #failedRows: Record<string, number> = {}
  #fromMs = Number.POSITIVE_INFINITY
  #toMs = 0
  #rows = 0
  #skippedRows = 0
  #scoringMs = 0

  /** @param outputs that both models have */
  constructor(comparison: Comparison, outputs: readonly string[], random: () => number) {
    this.comparison = comparison
    this.outputs = outputs
    this.#outputs = outputs.map((name) => ({
      name,
      sums: { pairs: 0, sumCurrent: 0, sumShadow: 0, sumAbsoluteDifference: 0 },
      sample: new Sample(random),
    }))
  }

  skipped(rows: number, atMs: number): void {
    this.#skippedRows += rows
    this.#seen(atMs)
  }

  /** Rows that the shadow has answered, or could not. */
  scored({ rows, failedRows, tookMs, atMs }: Scored): void {
    this.#rows += rows
    this.#scoringMs += tookMs
    this.#seen(atMs)
    for (const [code, count] of Object.entries(failedRows))
      this.#failedRows[code] = (this.#failedRows[code] ?? 0) + count
  }

  /** A row that both have scored. @param output index among those that both have */
  pair(output: number, current: number, shadow: number): void {
    const { sums, sample } = this.#outputs[output]!
    sums.pairs++
    sums.sumCurrent += current
    sums.sumShadow += shadow
    sums.sumAbsoluteDifference += Math.abs(shadow - current)
    sample.add(current, shadow)
  }

  /** null: nothing was seen yet. */
  report(): ShadowReport | null {
    const { shadow, current, sinceMs, instance } = this.comparison
    if (this.#rows + this.#skippedRows === 0) return null
    return {
      version: 1,
      shadow,
      current,
      sinceMs,
      instances: [instance],
      fromMs: this.#fromMs,
      toMs: this.#toMs,
      rows: this.#rows,
      skippedRows: this.#skippedRows,
      failedRows: { ...this.#failedRows },
      scoringMs: this.#scoringMs,
      outputs: this.#outputs.map(({ name, sums, sample }) => ({
        name,
        ...sums,
        sample: lowest(sample.pairs),
      })),
    }
  }

  #seen(atMs: number): void {
    this.#fromMs = Math.min(this.#fromMs, atMs)
    this.#toMs = Math.max(this.#toMs, atMs)
  }
}

interface Sums {
  pairs: number
  sumCurrent: number
  sumShadow: number
  sumAbsoluteDifference: number
}

interface Scored {
  readonly rows: number
  readonly failedRows: Readonly<Record<string, number>>
  readonly tookMs: number
  readonly atMs: number
}
