import { METRICS, type MetricSpec } from '@freshet/telemetry/metrics-table.ts'
import type { Family, Sample } from './prometheus-text.ts'

/**
 * The table of metrics under Prometheus' names: `freshet.sweep.duration` in `s` is `freshet_sweep_duration_seconds`, and a
 * counter ends in `_total`. Units that only say what is counted are left out, as OpenTelemetry asks.
 * @param values as `Metrics.values()` gives them: by `name`, or `name.label`
 */
export function tableFamilies(values: Readonly<Record<string, number>>): Family[] {
  return Object.entries<MetricSpec>(METRICS).map(([name, spec]) => ({
    name: prometheusName(name, spec),
    kind: spec.kind,
    help: spec.help,
    samples: samplesOf(name, spec, values),
  }))
}

function prometheusName(name: string, { kind, unit }: MetricSpec): string {
  const base = name.replaceAll('.', '_')
  const suffix = UNITS[unit]
  const withUnit = suffix === undefined || base.endsWith(suffix) ? base : base + suffix
  return kind === 'counter' ? `${withUnit}_total` : withUnit
}

const UNITS: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' }

function samplesOf(
  name: string,
  { label }: MetricSpec,
  values: Readonly<Record<string, number>>,
): readonly Sample[] {
  const of = (key: string, labels?: Sample['labels']): Sample[] => {
    const value = values[key]
    return value === undefined ? [] : [labels === undefined ? { value } : { value, labels }]
  }
  if (label === undefined) return of(name)
  const prefix = `${name}.`
  const known =
    label.values ??
    Object.keys(values).flatMap((key) => (key.startsWith(prefix) ? [key.slice(prefix.length)] : []))
  return known.flatMap((text) => of(prefix + text, { [label.name]: text }))
}
