import type { Bench, Figure, Sample } from './figure.ts'
import { ratioOf } from './target.ts'

/** Medians over all rounds, and what has its most told; with four digits. */
export interface Result {
  readonly figure: string
  readonly unit: string
  readonly rounds: number
  readonly value: number
  readonly cpuMicrosPerRow: number
  /** null without a baseline. */
  readonly baseline: Baseline | null
  readonly also: Readonly<Record<string, number>>
}

export interface Baseline {
  /** Of the slowest part. */
  readonly value: number
  /** Of all parts together. */
  readonly cpuMicrosPerRow: number
  /**
   * Ours as a multiple of it: `value` (above 1 is better of rates, and worse of time and memory), `cpuMicrosPerRow`, and by
   * its name whatever both tell. The median of the rounds' own ratios: what slows a whole round down, slows down both.
   * Without what in some round did not grow.
   */
  readonly ratios: Readonly<Record<string, number>>
  /** One unless the work has several. */
  readonly parts: Readonly<Record<string, Medians>>
}

export type Medians = Omit<Sample, 'most'>

/** What one round gave, by name. */
export interface Round {
  readonly ours: Sample
  readonly baselines: Readonly<Record<string, Sample>>
}

/**
 * Ours and the baselines take turns, and who goes first changes from round to round: whatever slows the machine down
 * for a while, or warms it up, meets all of them.
 * @param options `onRound` is told what the round gave; `signal` ends it between two measurements
 */
export async function measure(
  { name, unit }: Pick<Figure, 'name' | 'unit'>,
  { ours, baselines }: Pick<Bench, 'ours' | 'baselines'>,
  options: { rounds: number; onRound: (round: number, samples: Round) => void; signal: AbortSignal },
): Promise<Result> {
  const turns = Object.entries({ [OURS]: ours, ...baselines })
  const samples: Record<string, Sample[]> = {}
  for (let round = 0; round < options.rounds; round++) {
    for (let turn = 0; turn < turns.length; turn++) {
      const [who, work] = turns[(round + turn) % turns.length]!
      options.signal.throwIfAborted()
      ;(samples[who] ??= []).push(await work())
    }
    const { [OURS]: own, ...bare } = lastOf(samples)
    options.onRound(round + 1, { ours: own!, baselines: bare })
  }
  const { [OURS]: own, ...bare } = samples
  return { figure: name, unit, rounds: options.rounds, ...summary(own!, bare) }
}

/** No baseline can have it as its name. */
const OURS = ''

function lastOf(samples: Readonly<Record<string, readonly Sample[]>>): Record<string, Sample> {
  return Object.fromEntries(Object.entries(samples).map(([who, all]) => [who, all.at(-1)!]))
}

function summary(
  ours: readonly Sample[],
  baselines: Readonly<Record<string, readonly Sample[]>>,
): Pick<Result, 'value' | 'cpuMicrosPerRow' | 'baseline' | 'also'> {
  const own = toldOf(ours)
  const hasBaseline = Object.keys(baselines).length > 0
  return { ...own, baseline: hasBaseline ? compare(ours, baselines) : null, also: own.also ?? {} }
}

function compare(ours: readonly Sample[], baselines: Readonly<Record<string, readonly Sample[]>>): Baseline {
  const parts = Object.fromEntries(
    Object.entries(baselines).map(([name, samples]) => [name, toldOf(samples)]),
  )
  const { value, cpuMicrosPerRow } = asOneWork(Object.values(parts))
  const bare = ours.map((_, round) => asOneWork(Object.values(baselines).map((samples) => samples[round]!)))
  return { value, cpuMicrosPerRow: digits(cpuMicrosPerRow), ratios: ratiosOf(ours, bare), parts }
}

/** As fast as the slowest of the parts; what else they tell is told of one alone. */
function asOneWork(parts: readonly Medians[]): Medians {
  const [first, ...others] = parts
  return {
    value: Math.min(...parts.map(({ value }) => value)),
    cpuMicrosPerRow: parts.reduce((sum, part) => sum + part.cpuMicrosPerRow, 0),
    ...(others.length === 0 && first!.also && { also: first!.also }),
  }
}

function ratiosOf(ours: readonly Medians[], bare: readonly Medians[]): Record<string, number> {
  const names = ['value', 'cpuMicrosPerRow', ...Object.keys(ours[0]?.also ?? {})]
  const found = names.flatMap((name): [string, number][] => {
    const each = ours.map((own, round) => ratioOf(numberOf(name, own), numberOf(name, bare[round]!)))
    return each.includes(undefined) ? [] : [[name, digits(median(each as number[]))]]
  })
  return Object.fromEntries(found)
}

function numberOf(name: string, { value, cpuMicrosPerRow, also }: Medians): number {
  return { ...also, value, cpuMicrosPerRow }[name] ?? Number.NaN
}

function toldOf(samples: readonly Sample[]): Medians {
  const all = (name: string, of: 'also' | 'most') => samples.map((sample) => sample[of]?.[name] ?? Number.NaN)
  const namesOf = (of: 'also' | 'most') => Object.keys(samples[0]?.[of] ?? {})
  const also = Object.fromEntries([
    ...namesOf('also').map((name) => [name, digits(median(all(name, 'also')))]),
    ...namesOf('most').map((name) => [name, digits(Math.max(...all(name, 'most')))]),
  ])
  return {
    value: digits(median(samples.map(({ value }) => value))),
    cpuMicrosPerRow: digits(median(samples.map((sample) => sample.cpuMicrosPerRow))),
    ...(Object.keys(also).length > 0 && { also }),
  }
}

/** @param values at least one */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2
}

function digits(value: number): number {
  return Number(value.toPrecision(4))
}
