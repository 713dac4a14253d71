import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import type { Figure } from './figure.ts'
import type { Baseline, Result, Round } from './measure.ts'

/** What the figures of a run depend on, in one line. */
export function describeMachine(): string {
  const gib = Math.round(totalmem() / 2 ** 30)
  return [
    cpus()[0]?.model.trim() || process.arch,
    `${availableParallelism()} cores`,
    `${gib} GiB`,
    `Node ${process.versions.node}`,
    `commit ${commit()}`,
    new Date().toISOString().slice(0, 10),
    `load ${loadavg()[0]!.toFixed(1)} at the start`,
  ].join(', ')
}

export function resultLine({ also, ...result }: Result): string {
  return JSON.stringify({ ...result, ...also })
}

export function resultText({ title, target }: Figure, result: Result): string {
  const { figure, unit, value, cpuMicrosPerRow, baseline, also } = result
  const lines = [
    `${figure}: ${title}`,
    row('value', `${number(value)} ${unit}`, `target: ${target}`),
    row('CPU a row', `${number(cpuMicrosPerRow)} µs`),
    ...(baseline === null ? [] : baselineRows(baseline, unit)),
    ...Object.entries(also).map(([name, more]) => row(name, number(more))),
  ]
  return `${lines.join('\n')}\n`
}

function baselineRows({ parts, valueRatio, cpuRatio }: Baseline, unit: string): string[] {
  const isOne = Object.keys(parts).length === 1
  return [
    ...Object.entries(parts).flatMap(([name, part]) => [
      row(name, `${number(part.value)} ${unit}`, `${number(part.cpuMicrosPerRow)} µs CPU a row`),
      ...Object.entries(part.also ?? {}).map(([also, more]) => row(`  ${also}`, number(more))),
    ]),
    row('ratio', number(valueRatio), isOne ? '' : 'to the slowest of them'),
    row('CPU ratio', number(cpuRatio), isOne ? '' : 'to their sum'),
  ]
}

export function roundText({ name, unit }: Figure, round: number, { ours, baselines }: Round): string {
  const bare = Object.entries(baselines).map(([part, { value }]) => `, ${part} ${number(value)}`)
  return `${name}, round ${round}: ${number(ours.value)} ${unit}${bare.join('')}`
}

function row(...cells: readonly string[]): string {
  const [name, value, more] = cells
  return `  ${name!.padEnd(18)}${value!.padEnd(34)}${more ?? ''}`.trimEnd()
}

function number(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 4 })
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return 'unknown' // a copy without its history
  }
}
