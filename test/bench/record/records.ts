/** docs/benchmarks.json: the newest result of each figure with the conditions it was measured under, and in short the earlier ones. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { Result } from '../measure.ts'
import type { Numbers } from '../target.ts'
import type { Machine } from './machine.ts'

export interface Records {
  /** By a letter that the results name. */
  readonly machines: Readonly<Record<string, Machine>>
  readonly newest: readonly Recorded[]
  /** Oldest first. */
  readonly earlier: readonly Earlier[]
}

/** null is what nobody wrote down. */
export interface Recorded extends Numbers, Conditions {
  readonly figure: string
  readonly rounds: number | null
  readonly baseline: {
    readonly value: number
    readonly cpuMicrosPerRow: number
    /** Until 2026-11-30 they were not written down: there they are quotients of the medians. */
    readonly ratios?: Readonly<Record<string, number>>
    readonly parts: Readonly<Record<string, Numbers>>
  } | null
  /** What each round gave, ours and each baseline's. */
  readonly each?: Readonly<Record<string, readonly number[]>>
}

interface Conditions {
  /** UTC. */
  readonly date: string
  readonly commit: string
  readonly machine: string
  /** Of the machine, when it began and when it ended; in it is what the figure itself does. */
  readonly load: { readonly begin: number; readonly end: number } | null
  readonly tookSeconds: number | null
  /** What a reader has to know of this result alone. */
  readonly note?: string
}

export type Earlier = Pick<Recorded, 'figure' | 'date' | 'commit' | 'machine' | 'value' | 'load' | 'note'> & {
  readonly bare: number | null
  /** Unless it is the quotient of the two. */
  readonly ratio?: number
}

export function readRecords(file: string): Records {
  return JSON.parse(readFileSync(file, 'utf8')) as Records
}

/** More than half of the cores were at work before it began: other work, or what an earlier figure left. */
export function isBusy(
  { load, machine }: Pick<Recorded, 'load' | 'machine'>,
  machines: Records['machines'],
): boolean {
  return load !== null && load.begin > machines[machine]!.cores / 2
}

/** As a whole or not at all: a run that is ended leaves what it has measured. */
export function writeRecords(file: string, records: Records): void {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(records, null, 2)}\n`)
  renameSync(draft, file)
}

export type Measured = Omit<Conditions, 'machine' | 'note'> & Pick<Recorded, 'each'>

/** The result takes the place of that figure's last one, which becomes an earlier one. */
export function withResult(
  records: Records,
  { figure, rounds, value, cpuMicrosPerRow, also, baseline }: Omit<Result, 'unit'>,
  { machine, ...measured }: Measured & { readonly machine: Machine },
): Records {
  const { machines, letter } = withMachine(records.machines, machine)
  const parts = Object.entries(baseline?.parts ?? {}).map(
    ([name, part]) => [name, { also: {}, ...part }] as const,
  )
  const bare = baseline && {
    value: baseline.value,
    cpuMicrosPerRow: baseline.cpuMicrosPerRow,
    ratios: baseline.ratios,
    parts: Object.fromEntries(parts),
  }
  const result: Recorded = {
    figure,
    rounds,
    value,
    cpuMicrosPerRow,
    baseline: bare,
    also,
    ...measured,
    machine: letter,
  }
  const before = records.newest.find((one) => one.figure === figure)
  return {
    machines,
    newest: [...records.newest.filter((one) => one !== before), result],
    earlier: before === undefined ? records.earlier : [...records.earlier, inShort(before)],
  }
}

function inShort({ figure, date, commit, machine, value, baseline, load, note }: Recorded): Earlier {
  const ratio = baseline?.ratios?.['value']
  const short = { figure, date, commit, machine, value, bare: baseline?.value ?? null, load }
  return { ...short, ...(ratio !== undefined && { ratio }), ...(note && { note }) }
}

function withMachine(machines: Records['machines'], machine: Machine) {
  const known = Object.entries(machines).find(([, one]) => isDeepStrictEqual(one, machine))
  if (known !== undefined) return { machines, letter: known[0] }
  const letter = String.fromCharCode('A'.charCodeAt(0) + Object.keys(machines).length)
  return { machines: { ...machines, [letter]: machine }, letter }
}
