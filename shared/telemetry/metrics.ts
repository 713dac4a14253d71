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
  /** By bucket: up to the first bound, …, beyond the last. */
  readonly counts: Float64Array
  sum: number
}

/** The figures of one process. Made once; every stage adds to it. */
export class Metrics {
  readonly #values = new Map<string, number>()
  readonly #elsewhere = new Map<string, number>()
  readonly #histograms = new Map<string, HistogramCounts>()
  readonly #toldGauges = new Set<string>()

  constructor() {
    for (const [name, spec] of Object.entries<MetricSpec>(METRICS))
      if (spec.kind !== 'histogram')
        for (const key of spec.label ? (spec.label.values ?? []).map((value) => `${name}.${value}`) : [name])
          this.#values.set(key, 0)
  }

  /** Adds to a counter. */
  add<Name extends MetricNameOf<'counter'>>(name: Name, count = 1, ...[label]: LabelOf<Name>): void {
    const key = keyOf(name, label as string | undefined)
    this.#values.set(key, (this.#values.get(key) ?? 0) + count)
  }

  /** Adds what another process of the same service has counted, by `name` or `name.label`; gauges are its own affair. */
  addCounts(counts: Readonly<Record<string, number>>): void {
    for (const [key, count] of Object.entries(counts))
      if (isCounter(key)) this.#elsewhere.set(key, (this.#elsewhere.get(key) ?? 0) + count)
  }

  /** Sets a gauge. */
  set(name: MetricNameOf<'gauge'>, value: number): void {
    this.#values.set(name, value)
    this.#toldGauges.add(name)
  }

  /** Sets a gauge for each label that there is now; labels of before are gone. */
  setEach(name: OpenMetricName, values: ReadonlyMap<string, number>): void {
    for (const key of this.#values.keys())
      if (key.startsWith(`${name}.`)) {
        this.#values.delete(key)
        this.#toldGauges.delete(key)
      }
    for (const [label, value] of [...values].slice(0, MAX_OPEN_LABELS)) {
      this.#values.set(`${name}.${label}`, value)
      this.#toldGauges.add(`${name}.${label}`)
    }
  }

  /** Counts values of a histogram, in its unit. */
  record<Name extends MetricNameOf<'histogram'>>(name: Name, value: number, ...[label]: LabelOf<Name>): void {
    const key = keyOf(name, label as string | undefined)
    const { bounds } = METRICS[name]
    let histogram = this.#histograms.get(key)
    if (histogram === undefined)
      this.#histograms.set(key, (histogram = { counts: new Float64Array(bounds.length + 1), sum: 0 }))
    let at = 0
    while (at < bounds.length && value > bounds[at]!) at++
    histogram.counts[at]!++
    histogram.sum += value
  }

  /** All counters and gauges by `name` or `name.label`, as heartbeats carry them: with what other processes counted. */
  values(): Record<string, number> {
    const values = Object.fromEntries(this.#values)
    for (const [key, count] of this.#elsewhere) values[key] = (values[key] ?? 0) + count
    return values
  }

  /** What this process has counted or said itself: neither zeros of other services' rooms, nor what others count. */
  *ownValues(): Iterable<readonly [key: string, value: number]> {
    for (const entry of this.#values) if (entry[1] !== 0 || this.#toldGauges.has(entry[0])) yield entry
  }

  /** By `name` or `name.label`; only those that have counted something. */
  histograms(): ReadonlyMap<string, HistogramCounts> {
    return this.#histograms
  }
}

const labelled = new Map<string, Map<string, string>>()

/** `name` or `name.label`. Made once for each of the labels that there are: a new text for every count is one to hash. */
function keyOf(name: string, label: string | undefined): string {
  if (label === undefined) return name
  let keys = labelled.get(name)
  if (keys === undefined) labelled.set(name, (keys = new Map()))
  let key = keys.get(label)
  if (key === undefined) keys.set(label, (key = `${name}.${label}`))
  return key
}

export function isCounter(key: string): boolean {
  const table: Readonly<Record<string, MetricSpec>> = METRICS
  const spec = table[key] ?? table[key.slice(0, key.lastIndexOf('.'))]
  return spec?.kind === 'counter'
}
