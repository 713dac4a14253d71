import { formatCount } from '@freshet/watchdog/format.ts'
import { harmlessLines, percent, short, table } from '../text.ts'
import type { ColumnReport } from './column-sample.ts'
import type { LiveReport, OutputReport } from './report-shape.ts'

/** A report as people read it: a line a column, the scores, who is set aside, what to look at. */
export function describeLive(report: LiveReport): string {
  const { documents, scored, setAside, outputs, concerns } = report
  return harmlessLines([
    `${formatCount(documents)} live documents, drawn at random: ${formatCount(scored)} scored`,
    ...table([HEADER, ...report.columns.map(cells)], 2),
    ...outputs.map(describeOutput),
    ...setAside.map(
      ({ code, at, count: aside }) =>
        `  set aside: ${formatCount(aside)} ${code}${at === null ? '' : ` at ${at}`}`,
    ),
    ...(concerns.length === 0
      ? ['nothing to worry about']
      : ['look at:', ...concerns.map((what) => `  - ${what}`)]),
  ])
}

const HEADER = ['column', 'path', 'there', 'default', 'unknown', 'outside', 'min', 'mean', 'max']

function cells({ name, path, present, defaulted, unknown, outside, values }: ColumnReport): string[] {
  const numbers = values === null ? ['', '', ''] : [values.min, values.mean, values.max].map(short)
  return [name, path, percent(present), optional(defaulted), optional(unknown), optional(outside), ...numbers]
}

function optional(part: number | null): string {
  return part === null ? '' : percent(part)
}

function describeOutput({ name, scores, stability }: OutputReport): string {
  if (scores === null) return `  ${name}: no scores`
  const numbers = Object.entries(scores).map(([name, value]) => `${name} ${short(value)}`)
  return `  ${name}: ${numbers.join(', ')}${stability === null ? '' : `; stability index ${stability.toFixed(2)}`}`
}
