import { type OutputSummary, QUANTILES, summarize } from '@freshet/model/shadow/summarize.ts'
import type { ShadowReport } from '@freshet/records/shadow-report.ts'
import { percent } from './concerns.ts'
import { short } from './short.ts'

/** A comparison as people read it: what both scored, how far apart, and whether in the same order. */
export function describeShadowReport(report: ShadowReport): string {
  const { shadow, current, sinceMs, toMs, instances } = report
  const { rows, skippedRows, failedShare, microsecondsPerRow, outputs } = summarize(report)
  const reasons = Object.entries(report.failedRows).map(([code, count]) => `${count} ${code}`)
  return [
    `${shadow} beside ${current} since ${timeOf(sinceMs)}, as of ${timeOf(toMs)}, by ${instances.length} scorers`,
    `  ${rows.toLocaleString('en-US')} rows, ${skippedRows.toLocaleString('en-US')} left out because it was behind`,
    `  ${percent(failedShare)} without a score of ${shadow}${reasons.length > 0 ? `: ${reasons.join(', ')}` : ''}`,
    ...(microsecondsPerRow === null ? [] : [`  ${short(microsecondsPerRow)} µs a row`]),
    ...outputs.map(describeOutput),
    '',
  ].join('\n')
}

function describeOutput(output: OutputSummary): string {
  const { name, pairs, meanCurrent, meanShadow, meanAbsoluteDifference, differenceQuantiles } = output
  if (meanCurrent === null || meanShadow === null || meanAbsoluteDifference === null)
    return `  ${name}: no row has a score of both`
  const quantiles = (differenceQuantiles ?? []).map((value, at) => `p${100 * QUANTILES[at]!} ${short(value)}`)
  return [
    `  ${name}: mean ${short(meanShadow)}, was ${short(meanCurrent)}; ${pairs.toLocaleString('en-US')} rows with both`,
    `    difference: ${short(meanAbsoluteDifference)} on average, ${quantiles.join(', ')}`,
    `    rank correlation: ${output.rankCorrelation === null ? 'none, since one of them gives all rows the same' : short(output.rankCorrelation)}`,
  ].join('\n')
}

function timeOf(atMs: number): string {
  return new Date(atMs).toISOString()
}
