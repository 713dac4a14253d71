import type { Bench, Figure, Sample } from './figure.ts'
import { ratioOf } from './target.ts'

/** Medians over all rounds, with four digits. */
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
  /** Ours, as a multiple of it: above 1 is better of rates, and worse of time and memory. null where there is none. */
  readonly valueRatio: number | null
  readonly cpuRatio: number | null
  /** One unless the work has several. */
  readonly parts: Readonly<Record<string, Medians>>
}

export type Medians = Pick<Sample, 'value' | 'cpuMicrosPerRow' | 'also'>

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
  const own = mediansOf(ours)
  const parts = Object.fromEntries(
    Object.entries(baselines).map(([name, samples]) => [name, mediansOf(samples)]),
  )
  return {
    value: digits(own.value),
    cpuMicrosPerRow: digits(own.cpuMicrosPerRow),
    baseline: Object.keys(parts).length === 0 ? null : compare(own, parts),
    also: own.also ?? {},
  }
}

function compare(own: Medians, parts: Readonly<Record<string, Medians>>): Baseline {
  const value = Math.min(...Object.values(parts).map((part) => part.value))
  const cpuMicrosPerRow = Object.values(parts).reduce((sum, part) => sum + part.cpuMicrosPerRow, 0)
  return {
    value: digits(value),
    cpuMicrosPerRow: digits(cpuMicrosPerRow),
    valueRatio: shortRatio(own.value, value),
    cpuRatio: shortRatio(own.cpuMicrosPerRow, cpuMicrosPerRow),
    parts: Object.fromEntries(
      Object.entries(parts).map(([name, part]) => [
        name,
        { ...part, value: digits(part.value), cpuMicrosPerRow: digits(part.cpuMicrosPerRow) },
      ]),
    ),
  }
}

function mediansOf(samples: readonly Sample[]): Medians {
  const names = Object.keys(samples[0]?.also ?? {})
  const alsoOf = (name: string) => digits(median(samples.map((sample) => sample.also?.[name] ?? Number.NaN)))
  return {
    value: median(samples.map((sample) => sample.value)),
    cpuMicrosPerRow: median(samples.map((sample) => sample.cpuMicrosPerRow)),
    ...(names.length > 0 && { also: Object.fromEntries(names.map((name) => [name, alsoOf(name)])) }),
  }
}

/** @param values at least one */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2
}

function shortRatio(own: number, other: number): number | null {
  const ratio = ratioOf(own, other)
  return ratio === undefined ? null : digits(ratio)
}

function digits(value: number): number {
  return Number(value.toPrecision(4))
}
