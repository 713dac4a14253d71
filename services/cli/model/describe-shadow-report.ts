import { type OutputSummary, QUANTILES, summarize } from '@freshet/model/shadow/summarize.ts'
import type { ShadowReport } from '@freshet/records/shadow-report.ts'
import { formatCount } from '@freshet/watchdog/format.ts'
import { percent, short, timeOf } from '../text.ts'

/** A comparison as people read it: what both scored, how far apart, and whether in the same order. */
export function describeShadowReport(report: ShadowReport): string {
  const { shadow, current, sinceMs, toMs } = report
  const { rows, skippedRows, failedShare, microsecondsPerRow, outputs } = summarize(report)
  const reasons = Object.entries(report.failedRows).map(([code, failed]) => `${formatCount(failed)} ${code}`)
  return [
    `${shadow} beside ${current} since ${timeOf(sinceMs)}, as of ${timeOf(toMs)}`,
    `  ${formatCount(rows)} rows, ${formatCount(skippedRows)} left out because it was behind`,
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
    `  ${name}: mean ${short(meanShadow)}, was ${short(meanCurrent)}; ${formatCount(pairs)} rows with both`,
    `    difference: ${short(meanAbsoluteDifference)} on average, ${quantiles.join(', ')}`,
    `    rank correlation: ${output.rankCorrelation === null ? 'none, since one of them gives all rows the same' : short(output.rankCorrelation)}`,
  ].join('\n')
}
