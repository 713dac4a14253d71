import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import type { Figure, Sample } from './figure.ts'
import type { Result } from './measure.ts'

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
  const { figure, unit, value, baseline, ratio, cpuMicrosPerRow, baselineCpuMicrosPerRow, also } = result
  const lines = [
    `${figure}: ${title}`,
    row('value', `${number(value)} ${unit}`, `target: ${target}`),
    ...(baseline === null ? [] : [row('baseline', `${number(baseline)} ${unit}`)]),
    ...(ratio === null ? [] : [row('ratio', `${ratio}`)]),
    row(
      'CPU a row',
      `${number(cpuMicrosPerRow)} µs`,
      baselineCpuMicrosPerRow === null ? '' : `baseline: ${number(baselineCpuMicrosPerRow)} µs`,
    ),
    ...Object.entries(also).map(([name, more]) => row(name, number(more))),
  ]
  return `${lines.join('\n')}\n`
}

export function roundText(
  { name, unit }: Figure,
  round: number,
  { ours, baseline }: { ours: Sample; baseline: Sample | null },
): string {
  const bare = baseline === null ? '' : `, baseline ${number(baseline.value)}`
  return `${name}, round ${round}: ${number(ours.value)} ${unit}${bare}`
}

function row(...cells: readonly string[]): string {
  const [name, value, more] = cells
  return `  ${name!.padEnd(14)}${value!.padEnd(26)}${more ?? ''}`.trimEnd()
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
