import { ByLabel } from './by-label.ts'
import {
  type LabelOf,
  MAX_OPEN_LABELS,
  METRICS,
  type MetricNameOf,
  type MetricSpec,
  type OpenMetricName,
} from './metrics-table.ts'

/** What a histogram has counted since the start. */
export interface HistogramCounts {
  /** Upper ones, in its unit. */
  readonly bounds: readonly number[]
  /** By bucket: up to the first bound, …, beyond the last. */
  readonly counts: Float64Array
  sum: number
}

/** The figures of one process. Made once; every stage adds to it. */
export class Metrics {
  readonly #figures = new ByLabel(() => ({ value: 0 }))
  readonly #elsewhere = new Map<string, number>()
  readonly #histograms = new ByLabel<HistogramCounts, MetricNameOf<'histogram'>>((name) => ({
    bounds: METRICS[name].bounds,
    counts: new Float64Array(METRICS[name].bounds.length + 1),
    sum: 0,
  }))
  readonly #toldGauges = new Set<string>()

  constructor() {
    for (const [name, spec] of Object.entries<MetricSpec>(METRICS))
      if (spec.kind !== 'histogram')
        for (const label of spec.label ? (spec.label.values ?? []) : [undefined])
          this.#figures.of(name, label)
  }

  /** Adds to a counter. */
  add<Name extends MetricNameOf<'counter'>>(name: Name, count = 1, ...[label]: LabelOf<Name>): void {
    this.#figures.of(name, label as string | undefined).value += count
  }

  /** Adds what another process of the same service has counted, by `name` or `name.label`; gauges are its own affair. */
  addCounts(counts: Readonly<Record<string, number>>): void {
    for (const [key, count] of Object.entries(counts))
      if (isCounter(key)) this.#elsewhere.set(key, (this.#elsewhere.get(key) ?? 0) + count)
  }

  /** Sets a gauge. */
  set(name: MetricNameOf<'gauge'>, value: number): void {
    this.#figures.of(name).value = value
    this.#toldGauges.add(name)
  }

  /** Sets a gauge for each label that there is now; labels of before are gone. */
  setEach(name: OpenMetricName, values: ReadonlyMap<string, number>): void {
    for (const key of this.#figures.forgetLabels(name)) this.#toldGauges.delete(key)
    for (const [label, value] of [...values].slice(0, MAX_OPEN_LABELS)) {
      this.#figures.of(name, label).value = value
      this.#toldGauges.add(`${name}.${label}`)
    }
  }

  /** Counts values of a histogram, in its unit. */
  record<Name extends MetricNameOf<'histogram'>>(name: Name, value: number, ...[label]: LabelOf<Name>): void {
    const histogram = this.#histograms.of(name, label as string | undefined)
    const { bounds } = histogram
    let at = 0
    while (at < bounds.length && value > bounds[at]!) at++
    histogram.counts[at]!++
    histogram.sum += value
  }

  /** All counters and gauges by `name` or `name.label`, as heartbeats carry them: with what other processes counted. */
  values(): Record<string, number> {
    const values = Object.fromEntries([...this.#figures.all].map(([key, { value }]) => [key, value]))
    for (const [key, count] of this.#elsewhere) values[key] = (values[key] ?? 0) + count
    return values
  }

  /** What this process has counted or said itself: neither zeros of other services' rooms, nor what others count. */
  *ownValues(): Iterable<readonly [key: string, value: number]> {
    for (const [key, { value }] of this.#figures.all)
      if (value !== 0 || this.#toldGauges.has(key)) yield [key, value]
  }

  /** By `name` or `name.label`; only those that have counted something. */
  histograms(): ReadonlyMap<string, HistogramCounts> {
    return this.#histograms.all
  }
}

export function isCounter(key: string): boolean {
  const table: Readonly<Record<string, MetricSpec>> = METRICS
  const spec = table[key] ?? table[key.slice(0, key.lastIndexOf('.'))]
  return spec?.kind === 'counter'
}
