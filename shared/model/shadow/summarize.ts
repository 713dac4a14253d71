import type { ShadowOutput, ShadowReport } from '@freshet/records/shadow-report.ts'

export const QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95] as const

/** What people want to know of a report. */
export interface ShadowSummary {
  readonly rows: number
  readonly skippedRows: number
  /** Of `rows`; by error code in the report. */
  readonly failedShare: number
  /** From document to score; null before the first row. */
  readonly microsecondsPerRow: number | null
  readonly outputs: readonly OutputSummary[]
}

export interface OutputSummary {
  readonly name: string
  readonly pairs: number
  /** null without pairs, as all below. */
  readonly meanCurrent: number | null
  readonly meanShadow: number | null
  readonly meanAbsoluteDifference: number | null
  /** Of shadow - current, at QUANTILES, from the sample. */
  readonly differenceQuantiles: readonly number[] | null
  /** Spearman's, from the sample: 1 where both models put rows in the same order. null where one of them gives all the same. */
  readonly rankCorrelation: number | null
}

export function summarize(report: ShadowReport): ShadowSummary {
  const { rows, skippedRows, failedRows, scoringMs, outputs } = report
  const failed = Object.values(failedRows).reduce((sum, count) => sum + count, 0)
  return {
    rows,
    skippedRows,
    failedShare: rows === 0 ? 0 : failed / rows,
    microsecondsPerRow: rows === 0 ? null : (scoringMs * 1_000) / rows,
    outputs: outputs.map(summarizeOutput),
  }
}

function summarizeOutput({ name, pairs, sample, ...sums }: ShadowOutput): OutputSummary {
  const mean = (sum: number) => (pairs === 0 ? null : sum / pairs)
  const current = sample.map(([, score]) => score)
  const shadow = sample.map(([, , score]) => score)
  const differences = shadow.map((score, i) => score - current[i]!).toSorted((a, b) => a - b)
  return {
    name,
    pairs,
    meanCurrent: mean(sums.sumCurrent),
    meanShadow: mean(sums.sumShadow),
    meanAbsoluteDifference: mean(sums.sumAbsoluteDifference),
    differenceQuantiles: pairs === 0 ? null : QUANTILES.map((at) => quantile(differences, at)),
    rankCorrelation: correlation(ranks(current), ranks(shadow)),
  }
}

function quantile(sorted: readonly number[], at: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))]!
}

/** From 0; values that are the same share the mean of their ranks. */
export function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!)
  const rank = new Array<number>(values.length)
  for (let from = 0; from < order.length; ) {
    let to = from
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++
    for (let i = from; i < to; i++) rank[order[i]!] = (from + to - 1) / 2
    from = to
  }
  return rank
}

/** Pearson's, of ranks; null where one side does not vary. */
function correlation(a: readonly number[], b: readonly number[]): number | null {
  const middle = (a.length - 1) / 2
  let product = 0
  let squaresA = 0
  let squaresB = 0
  for (const [i, rank] of a.entries()) {
    product += (rank - middle) * (b[i]! - middle)
    squaresA += (rank - middle) ** 2
    squaresB += (b[i]! - middle) ** 2
  }
  return squaresA === 0 || squaresB === 0 ? null : product / Math.sqrt(squaresA * squaresB)
}
