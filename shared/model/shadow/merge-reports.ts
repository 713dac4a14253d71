import type { ShadowOutput, ShadowReport } from '@freshet/records/shadow-report.ts'
import { lowest } from './sample.ts'

/** `once` is another process each time. */
const MAX_INSTANCES = 20

/**
 * Reports of all instances as one. Those of an earlier comparison, or beside another promoted model, are left out: what
 * counts is what was scored last.
 * @returns null without reports
 */
export function mergeReports(reports: readonly ShadowReport[]): ShadowReport | null {
  const last = reports.toSorted((a, b) => a.sinceMs - b.sinceMs || a.toMs - b.toMs).at(-1)
  if (last === undefined) return null
  return reports.filter((report) => isSameComparison(report, last)).reduce(merge)
}

function isSameComparison(a: Comparison, b: Comparison): boolean {
  return a.shadow === b.shadow && a.current === b.current && a.sinceMs === b.sinceMs
}

type Comparison = Pick<ShadowReport, 'shadow' | 'current' | 'sinceMs'>

function merge(a: ShadowReport, b: ShadowReport): ShadowReport {
  return {
    ...a,
    instances: [...new Set([...a.instances, ...b.instances])].slice(-MAX_INSTANCES),
    fromMs: Math.min(a.fromMs, b.fromMs),
    toMs: Math.max(a.toMs, b.toMs),
    rows: a.rows + b.rows,
    skippedRows: a.skippedRows + b.skippedRows,
    failedRows: added(a.failedRows, b.failedRows),
    scoringMs: a.scoringMs + b.scoringMs,
    outputs: a.outputs.map((output) =>
      mergeOutput(
        output,
        b.outputs.find(({ name }) => name === output.name),
      ),
    ),
  }
}

function mergeOutput(a: ShadowOutput, b: ShadowOutput | undefined): ShadowOutput {
  if (b === undefined) return a
  return {
    name: a.name,
    pairs: a.pairs + b.pairs,
    sumCurrent: a.sumCurrent + b.sumCurrent,
    sumShadow: a.sumShadow + b.sumShadow,
    sumAbsoluteDifference: a.sumAbsoluteDifference + b.sumAbsoluteDifference,
    sample: lowest([...a.sample, ...b.sample]),
  }
}

function added(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum: Record<string, number> = { ...a }
  for (const [code, count] of Object.entries(b)) sum[code] = (sum[code] ?? 0) + count
  return sum
}
