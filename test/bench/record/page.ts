/** docs/benchmarks.md and its plot, made from docs/benchmarks.json: everything between a pair of marks, the rest is written by hand. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { markdownTable } from '../../markdown-table.ts'
import { ENTRIES, type Entry } from '../figures.ts'
import { bareNumbers, judge, measuredFor, ratioOf, type Target, targetText } from '../target.ts'
import { plotText } from './plot.ts'
import { type Earlier, isBusy, type Recorded, type Records, readRecords } from './records.ts'

const DOCS = join(import.meta.dirname, '..', '..', '..', 'docs')
export const RECORDS_FILE = join(DOCS, 'benchmarks.json')
export const PAGE_FILE = join(DOCS, 'benchmarks.md')
export const PLOT_FILE = join(DOCS, 'images', 'benchmarks.svg')

export function writePage(): void {
  const records = readRecords(RECORDS_FILE)
  writeFileSync(PAGE_FILE, pageText(readFileSync(PAGE_FILE, 'utf8'), records))
  writeFileSync(PLOT_FILE, plotText(records))
}

/** @param page as it is; what stands between the marks is made anew */
export function pageText(page: string, records: Records): string {
  const blocks = {
    figures: figuresBlock(records),
    peers: peersBlock(records),
    conditions: conditionsBlock(records),
    earlier: earlierBlock(records),
  }
  return Object.entries(blocks).reduce((text, [name, block]) => {
    const [begin, end] = [`<!-- ${name}: made by npm run bench -- --page -->`, `<!-- end of ${name} -->`]
    const [from, to] = [text.indexOf(begin), text.indexOf(end)]
    if (from < 0 || to < from) throw new Error(`the page has no block for ${name}`)
    return `${text.slice(0, from + begin.length)}\n\n${block}\n${text.slice(to)}`
  }, page)
}

function figuresBlock(records: Records): string {
  const entries = ENTRIES.filter(({ stage }) => stage !== 'peers')
  const rows = entries.map((entry, index) => {
    const stage = entries[index - 1]?.stage === entry.stage ? '' : entry.stage
    return [stage, ...figureCells(entry, records)]
  })
  const head = ['stage', 'figure', 'ours', 'bare', 'ratio', 'CPU a row: ours, bare', 'target', 'measured']
  return `${markdownTable(head, rows)}${notes(entries, records)}`
}

function peersBlock(records: Records): string {
  const entries = ENTRIES.filter(({ stage }) => stage === 'peers')
  const head = ['figure', 'ours', 'peer', 'ratio', 'CPU a row: ours, peer', 'target', 'measured']
  const rows = entries.map((entry) => figureCells(entry, records))
  return `${markdownTable(head, rows)}${notes(entries, records)}`
}

function conditionsBlock({ machines }: Records): string {
  const rows = Object.entries(machines).map(([letter, machine]) => [
    letter,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB`,
    machine.kernel,
    machine.node,
    Object.entries(machine.servers)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  ])
  return markdownTable(['', 'machine', 'kernel', 'Node', 'servers, on the same machine'], rows)
}

function earlierBlock({ earlier, machines }: Records): string {
  const rows = earlier.map((one: Earlier) => [
    `\`${one.figure}\``,
    one.date.slice(0, 10),
    numberText(one.value),
    numberText(one.bare),
    numberText(one.ratio ?? ratioOf(one.value ?? 0, one.bare ?? 0) ?? null),
    loadText(one, machines),
    one.commit,
    one.note ?? '',
  ])
  return markdownTable(['figure', 'measured', 'ours', 'baseline', 'ratio', 'load', 'commit', ''], rows)
}

/** The figure's own; a figure that was never recorded says so. */
function figureCells({ figure }: Entry, { newest, machines }: Records): string[] {
  const { name, unit, targets } = figure
  const link = `[\`${name}\`](#${name})`
  const result = newest.find((one) => one.figure === name)
  if (result === undefined) return [link, 'not recorded', '–', '–', '–', '–', '–']
  const { value, cpuMicrosPerRow, baseline } = result
  const bare = baseline && measuredFor({ of: 'value', than: 'baseline' }, result, bareNumbers(baseline))
  const cpu = [cpuMicrosPerRow, ...(baseline ? [baseline.cpuMicrosPerRow] : [])].map(microsText)
  return [
    link,
    value === null ? '–' : `${numberText(value)} ${unit}`,
    baselineText(result),
    numberText(bare ?? null),
    cpu.join(', '),
    targets.map((target) => verdictText(target, unit, result)).join('<br>') || '–',
    measuredText(result, machines),
  ]
}

function baselineText({ baseline }: Recorded): string {
  if (baseline === null) return '–'
  return Object.entries(baseline.parts)
    .map(([name, { value }]) => `${name} ${numberText(value)}`)
    .join('<br>')
}

/** With the number that was looked at, where it stands in no other cell. */
function verdictText(target: Target, unit: string, result: Recorded): string {
  const bare = bareNumbers(result.baseline)
  const verdict = judge(target, result, bare)
  const found = measuredFor(target, result, bare)
  const isShown = target.of === 'value' || found === undefined
  const text = `${targetText(target, unit)}: ${verdict === 'MISSED' ? '**MISSED**' : verdict}`
  return isShown ? text : `${text} (${numberText(found)})`
}

function measuredText(result: Recorded, machines: Records['machines']): string {
  const { date, machine, rounds } = result
  return `${date.slice(0, 10)}, ${machine}, ${loadText(result, machines)}, ${roundsText(rounds)}`
}

function roundsText(rounds: number | null): string {
  if (rounds === null) return 'rounds not written down'
  return rounds === 1 ? '1 round' : `${rounds} rounds`
}

function loadText(measured: Pick<Recorded, 'load' | 'machine'>, machines: Records['machines']): string {
  const { load } = measured
  if (load === null) return 'load not written down'
  const range = load.begin === load.end ? `${load.begin}` : `${load.begin} to ${load.end}`
  return `load ${range}${isBusy(measured, machines) ? ' (busy)' : ''}`
}

function notes(entries: readonly Entry[], { newest }: Records): string {
  const told = entries.flatMap(({ figure }) => {
    const note = newest.find((one) => one.figure === figure.name)?.note
    return note === undefined ? [] : [`- \`${figure.name}\`: ${note}\n`]
  })
  return told.length === 0 ? '' : `\n${told.join('')}`
}

function microsText(micros: number | null): string {
  return micros === null ? '–' : `${numberText(micros)} µs`
}

function numberText(value: number | null): string {
  return value === null ? '–' : value.toLocaleString('en', { maximumSignificantDigits: 4 })
}
