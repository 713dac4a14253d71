import { commit, describeHost, loadNow } from '../host.ts'
import type { Figure } from './figure.ts'
import type { Baseline, Result, Round } from './measure.ts'
import { bareNumbers, judge, targetText } from './target.ts'

/** What the figures of a run depend on, in one line. */
export function describeMachine(): string {
  const { cpu, cores, memoryGiB, kernel, node } = describeHost()
  return [
    cpu,
    `${cores} cores`,
    `${memoryGiB} GiB`,
    kernel,
    `Node ${node}`,
    `commit ${commit()}`,
    new Date().toISOString().slice(0, 10),
    `load ${loadNow()} at the start`,
  ].join(', ')
}

export function resultLine({ also, ...result }: Result): string {
  return JSON.stringify({ ...result, ...also })
}

export function resultText({ title, targets }: Figure, result: Result): string {
  const { figure, unit, value, cpuMicrosPerRow, baseline, also } = result
  const lines = [
    `${figure}: ${title}`,
    row('value', `${number(value)} ${unit}`),
    ...targets.map((target) =>
      row('target', targetText(target, unit), judge(target, result, bareNumbers(baseline))),
    ),
    row('CPU a row', `${number(cpuMicrosPerRow)} µs`),
    ...(baseline === null ? [] : baselineRows(baseline, unit)),
    ...Object.entries(also).map(([name, more]) => row(name, number(more))),
  ]
  return `${lines.join('\n')}\n`
}

function baselineRows({ parts, ratios }: Baseline, unit: string): string[] {
  const isOne = Object.keys(parts).length === 1
  return [
    ...Object.entries(parts).flatMap(([name, part]) => [
      row(name, `${number(part.value)} ${unit}`, `${number(part.cpuMicrosPerRow)} µs CPU a row`),
      ...Object.entries(part.also ?? {}).map(([also, more]) => row(`  ${also}`, number(more))),
    ]),
    row('ratio', number(ratios['value'] ?? null), isOne ? '' : 'to the slowest of them'),
    row('CPU ratio', number(ratios['cpuMicrosPerRow'] ?? null), isOne ? '' : 'to their sum'),
  ]
}

export function roundText({ name, unit }: Figure, round: number, { ours, baselines }: Round): string {
  const bare = Object.entries(baselines).map(([part, { value }]) => `, ${part} ${number(value)}`)
  return `${name}, round ${round}: ${number(ours.value)} ${unit}${bare.join('')}`
}

function row(...cells: readonly string[]): string {
  const [name, value, more] = cells
  return `  ${name!.padEnd(24)}${value!.padEnd(34)}${more ?? ''}`.trimEnd()
}

function number(value: number | null): string {
  if (value === null) return '–'
  return value.toLocaleString('en', { maximumSignificantDigits: 4 })
}
