import type { HrTime } from '@opentelemetry/api'
import { ValueType } from '@opentelemetry/api'
import { hrTime, type InstrumentationScope } from '@opentelemetry/core'
import { emptyResource } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  type CollectionResult,
  DataPointType,
  InstrumentType,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics'
import type { HistogramCounts, Metrics } from './metrics.ts'
import { labelAttribute, METRICS, type MetricSpec } from './metrics-table.ts'

/** How a series is told: what came since it was last told, or since the start. */
type TemporalityOf = (type: InstrumentType) => AggregationTemporality

/** One name with one label. */
interface Series {
  readonly name: string
  readonly spec: MetricSpec
  readonly attributes: Readonly<Record<string, string>>
}

type Point = {
  readonly startTime: HrTime
  readonly endTime: HrTime
  readonly attributes: Record<string, string>
}

/**
 * The table of metrics as OpenTelemetry's SDK reads it, every so often; counting itself stays an addition. A series is
 * told from when it first counted something or was set.
 */
export class MetricsProducer implements MetricProducer {
  readonly #metrics: Metrics
  readonly #scope: InstrumentationScope
  readonly #temporalityOf: TemporalityOf
  readonly #startTime = hrTime()
  #lastTime = this.#startTime
  readonly #series = new Map<string, Series>()
  readonly #lastCounts = new Map<string, number>()
  readonly #lastHistograms = new Map<string, HistogramCounts>()

  constructor(metrics: Metrics, scope: InstrumentationScope, temporalityOf: TemporalityOf) {
    this.#metrics = metrics
    this.#scope = scope
    this.#temporalityOf = temporalityOf
  }

  async collect(): Promise<CollectionResult> {
    const endTime = hrTime()
    const byName = new Map<string, MetricData>()
    for (const [key, value] of this.#metrics.ownValues()) this.#addNumber(byName, key, value, endTime)
    for (const [key, counts] of this.#metrics.histograms()) this.#addHistogram(byName, key, counts, endTime)
    this.#lastTime = endTime
    const scopeMetrics = [{ scope: this.#scope, metrics: [...byName.values()] }]
    return { resourceMetrics: { resource: emptyResource(), scopeMetrics }, errors: [] }
  }

  #addNumber(byName: Map<string, MetricData>, key: string, value: number, endTime: HrTime): void {
    const series = this.#seriesOf(key)
    const isCounter = series.spec.kind === 'counter'
    const type = isCounter ? InstrumentType.COUNTER : InstrumentType.GAUGE
    const metric = metricOf(byName, series, this.#temporalityOf(type))
    const isDelta = isCounter && metric.aggregationTemporality === AggregationTemporality.DELTA
    const told = isDelta ? value - (this.#lastCounts.get(key) ?? 0) : value
    if (isDelta) this.#lastCounts.set(key, value)
    ;(metric.dataPoints as unknown[]).push({ ...this.#point(series, metric, endTime), value: told })
  }

  #addHistogram(
    byName: Map<string, MetricData>,
    key: string,
    { bounds, counts, sum }: HistogramCounts,
    endTime: HrTime,
  ): void {
    const series = this.#seriesOf(key)
    const temporality = this.#temporalityOf(InstrumentType.HISTOGRAM)
    const last = temporality === AggregationTemporality.DELTA ? this.#lastHistograms.get(key) : undefined
    const told = Array.from(counts, (count, at) => count - (last?.counts[at] ?? 0))
    const count = told.reduce((total, each) => total + each, 0)
    this.#lastHistograms.set(key, { bounds, counts: counts.slice(), sum })
    if (count === 0) return
    const metric = metricOf(byName, series, temporality)
    const value = {
      buckets: { boundaries: [...bounds], counts: told },
      sum: sum - (last?.sum ?? 0),
      count,
    }
    ;(metric.dataPoints as unknown[]).push({ ...this.#point(series, metric, endTime), value })
  }

  #point({ attributes }: Series, { aggregationTemporality }: MetricData, endTime: HrTime): Point {
    const isDelta = aggregationTemporality === AggregationTemporality.DELTA
    return { startTime: isDelta ? this.#lastTime : this.#startTime, endTime, attributes: { ...attributes } }
  }

  #seriesOf(key: string): Series {
    let series = this.#series.get(key)
    if (series === undefined) this.#series.set(key, (series = readSeries(key)))
    return series
  }
}

function readSeries(key: string): Series {
  const table: Readonly<Record<string, MetricSpec>> = METRICS
  if (table[key] !== undefined) return { name: key, spec: table[key], attributes: {} }
  // A label may hold dots, and so do names: the longest name that fits.
  for (let at = key.lastIndexOf('.'); at > 0; at = key.lastIndexOf('.', at - 1)) {
    const name = key.slice(0, at)
    const spec = table[name]
    if (spec?.label !== undefined)
      return { name, spec, attributes: { [labelAttribute(spec.label)]: key.slice(at + 1) } }
  }
  throw new Error(`${key} is no metric`)
}

const POINT_TYPES = {
  counter: DataPointType.SUM,
  gauge: DataPointType.GAUGE,
  histogram: DataPointType.HISTOGRAM,
} as const

function metricOf(
  byName: Map<string, MetricData>,
  { name, spec: { kind, unit, help } }: Series,
  aggregationTemporality: AggregationTemporality,
): MetricData {
  let metric = byName.get(name)
  if (metric === undefined) {
    const valueType = kind === 'counter' ? ValueType.INT : ValueType.DOUBLE
    metric = {
      descriptor: { name, description: help, unit, valueType },
      aggregationTemporality,
      dataPointType: POINT_TYPES[kind],
      dataPoints: [],
      ...(kind === 'counter' && { isMonotonic: true }),
    } as MetricData
    byName.set(name, metric)
  }
  return metric
}
