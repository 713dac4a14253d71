import {
  type LabelOf,
  MAX_OPEN_LABELS,
  METRICS,
  type MetricName,
  type MetricSpec,
  type OpenMetricName,
} from './metrics-table.ts'

/** The figures of one process. Made once; every stage adds to it. */
export class Metrics {
  readonly #values = new Map<string, number>()

  constructor() {
    for (const [name, spec] of Object.entries<MetricSpec>(METRICS))
      for (const key of spec.label ? (spec.label.values ?? []).map((value) => `${name}.${value}`) : [name])
        this.#values.set(key, 0)
  }

  /** Adds to a counter. */
  add<Name extends MetricName>(name: Name, count = 1, ...[label]: LabelOf<Name>): void {
    const key = label === undefined ? name : `${name}.${label}`
    this.#values.set(key, (this.#values.get(key) ?? 0) + count)
  }

  /** Adds what another process of the same service has counted, by `name` or `name.label`; gauges are its own affair. */
  addCounts(counts: Readonly<Record<string, number>>): void {
    for (const [key, count] of Object.entries(counts))
      if (isCounter(key)) this.#values.set(key, (this.#values.get(key) ?? 0) + count)
  }

  /** Sets a gauge. */
  set(name: MetricName, value: number): void {
    this.#values.set(name, value)
  }

  /** Sets a gauge for each label that there is now; labels of before are gone. */
  setEach(name: OpenMetricName, values: ReadonlyMap<string, number>): void {
    for (const key of this.#values.keys()) if (key.startsWith(`${name}.`)) this.#values.delete(key)
    for (const [label, value] of [...values].slice(0, MAX_OPEN_LABELS))
      this.#values.set(`${name}.${label}`, value)
  }

  /** All values by `name` or `name.label`, as heartbeats carry them. */
  values(): Record<string, number> {
    return Object.fromEntries(this.#values)
  }
}

function isCounter(key: string): boolean {
  const table: Readonly<Record<string, MetricSpec>> = METRICS
  const spec = table[key] ?? table[key.slice(0, key.lastIndexOf('.'))]
  return spec?.kind === 'counter'
}
