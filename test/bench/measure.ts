import type { Bench, Figure, Sample } from './figure.ts'

/** Medians over all rounds, with four digits. */
export interface Result {
  readonly figure: string
  readonly unit: string
  readonly value: number
  /** null without a baseline. */
  readonly baseline: number | null
  /** value / baseline */
  readonly ratio: number | null
  readonly rounds: number
  readonly cpuMicrosPerRow: number
  readonly baselineCpuMicrosPerRow: number | null
  readonly also: Readonly<Record<string, number>>
}

/**
 * Ours and the baseline take turns, and change who goes first from round to round: whatever slows the machine down for
 * a while, or warms it up, meets both.
 * @param options `onRound` is told what the round gave; `signal` ends it between two measurements
 */
export async function measure(
  { name, unit }: Pick<Figure, 'name' | 'unit'>,
  bench: Pick<Bench, 'ours' | 'baseline'>,
  options: {
    rounds: number
    onRound: (round: number, sample: { ours: Sample; baseline: Sample | null }) => void
    signal: AbortSignal
  },
): Promise<Result> {
  const ours: Sample[] = []
  const baseline: Sample[] = []
  for (let round = 1; round <= options.rounds; round++) {
    const turns = [
      async () => void ours.push(await bench.ours()),
      async () => void (bench.baseline && baseline.push(await bench.baseline())),
    ]
    for (const turn of round % 2 === 1 ? turns : turns.reverse()) {
      options.signal.throwIfAborted()
      await turn()
    }
    options.onRound(round, { ours: ours.at(-1)!, baseline: baseline.at(-1) ?? null })
  }
  return { figure: name, unit, rounds: options.rounds, ...summary(ours, baseline) }
}

function summary(
  ours: readonly Sample[],
  baseline: readonly Sample[],
): Omit<Result, 'figure' | 'unit' | 'rounds'> {
  const bare = baseline.length > 0
  const value = median(ours.map((sample) => sample.value))
  const bareValue = bare ? median(baseline.map((sample) => sample.value)) : null
  return {
    value: digits(value),
    baseline: bareValue === null ? null : digits(bareValue),
    ratio: bareValue === null ? null : digits(value / bareValue),
    cpuMicrosPerRow: digits(median(ours.map((sample) => sample.cpuMicrosPerRow))),
    baselineCpuMicrosPerRow: bare ? digits(median(baseline.map((sample) => sample.cpuMicrosPerRow))) : null,
    also: Object.fromEntries(
      Object.keys(ours[0]?.also ?? {}).map((name) => [
        name,
        digits(median(ours.map((sample) => sample.also?.[name] ?? Number.NaN))),
      ]),
    ),
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
