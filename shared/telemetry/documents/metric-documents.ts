import { hrTimeToNanoseconds } from '@opentelemetry/core'
import {
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics'
import {
  attributesObject,
  dataStream,
  msOf,
  resourceObject,
  scopeObject,
  type TelemetryDocument,
  unlessEmpty,
} from './document.ts'
import { xxhash64 } from './xxhash64.ts'

/**
 * Metrics of one collection: those that share time, unit and attributes share a document. Counters and histograms are
 * told as what came since the collection before, so that a sum over documents is a sum over time.
 */
export function metricDocuments(
  { resource, scopeMetrics }: ResourceMetrics,
  namespace: string,
): TelemetryDocument[] {
  return scopeMetrics.flatMap(({ scope, metrics }) => {
    const groups = new Map<string, Group>()
    for (const metric of metrics) for (const point of metric.dataPoints) addTo(groups, metric, point)
    return [...groups.values()].map(({ point, unit, values }) => ({
      '@timestamp': msOf(point.endTime),
      start_timestamp: msOf(point.startTime),
      ...unlessEmpty('unit', unit),
      data_stream: dataStream('metrics', namespace),
      ...attributesObject(point.attributes),
      resource: resourceObject(resource),
      scope: scopeObject(scope),
      metrics: values,
      _metric_names_hash: namesHash(Object.keys(values)),
    }))
  })
}

interface Group {
  /** One of those in it: they share all but their values. */
  readonly point: DataPoint<unknown>
  readonly unit: string
  readonly values: Record<string, unknown>
}

function addTo(groups: Map<string, Group>, metric: MetricData, point: DataPoint<unknown>): void {
  const value = documentValue(metric, point)
  if (value === undefined) return
  const { name, unit } = metric.descriptor
  const times = `${hrTimeToNanoseconds(point.startTime)} ${hrTimeToNanoseconds(point.endTime)}`
  const key = `${times} ${unit} ${JSON.stringify(point.attributes)}`
  let group = groups.get(key)
  if (group === undefined) groups.set(key, (group = { point, unit, values: {} }))
  group.values[name] = value
}

/** undefined for what no document can hold: NaN and the infinities. */
function documentValue({ dataPointType }: MetricData, { value }: DataPoint<unknown>): unknown {
  if (dataPointType === DataPointType.HISTOGRAM) return centroids(value as Histogram)
  return Number.isFinite(value) ? value : undefined
}

/** As Elasticsearch's histograms are: a value in the middle of each bucket, and how many there were of it. */
function centroids({ buckets: { boundaries, counts } }: Histogram): {
  counts: readonly number[]
  values: readonly number[]
} {
  const filled = counts.flatMap((count, at) =>
    count > 0 ? [{ count, value: middleOf(boundaries, at) }] : [],
  )
  return { counts: filled.map(({ count }) => count), values: filled.map(({ value }) => value) }
}

function middleOf(bounds: readonly number[], at: number): number {
  const [below, above] = [bounds[at - 1], bounds[at]]
  if (below === undefined) return above! > 0 ? above! / 2 : above!
  return above === undefined ? below : below + (above - below) / 2
}

const hashes = new Map<string, string>()
const MAX_HASHES = 1_000

/** Time series with other metrics in them are other series, to Elasticsearch. */
function namesHash(names: readonly string[]): string {
  const text = [...names].sort().join('')
  let hash = hashes.get(text)
  if (hash === undefined) {
    if (hashes.size === MAX_HASHES) hashes.clear()
    hashes.set(text, (hash = xxhash64(text).toString(16)))
  }
  return hash
}
