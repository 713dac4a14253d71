import type { ReadableLogRecord } from '@opentelemetry/sdk-logs'
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import type { Queued } from '../outbox/queue.ts'
import { worthOfLog } from '../outbox/worth-of-log.ts'

/** What is on its way to a collector. Bytes are an estimate: what the SDK holds of it in memory. */
export type OtlpItem =
  | (Queued & { readonly kind: 'span'; readonly value: ReadableSpan })
  | (Queued & { readonly kind: 'log'; readonly value: ReadableLogRecord })
  | (Queued & { readonly kind: 'metrics'; readonly value: ResourceMetrics })

const BASE_BYTES = 500
const ATTRIBUTE_BYTES = 80
const LINK_BYTES = 250
const EVENT_BYTES = 400
const POINT_BYTES = 300

export function spanItem(value: ReadableSpan): OtlpItem {
  const attributes = Object.keys(value.attributes).length * ATTRIBUTE_BYTES
  const bytes = BASE_BYTES + attributes + value.links.length * LINK_BYTES + value.events.length * EVENT_BYTES
  return { kind: 'span', value, bytes, worth: 'span' }
}

export function logItem(value: ReadableLogRecord): OtlpItem {
  const attributes = Object.values(value.attributes)
  const texts = [value.body, ...attributes].map((text) => (typeof text === 'string' ? text.length : 0))
  const bytes = texts.reduce((sum, length) => sum + length, BASE_BYTES + attributes.length * ATTRIBUTE_BYTES)
  return { kind: 'log', value, bytes, worth: worthOfLog(value) }
}

export function metricsItem(value: ResourceMetrics): OtlpItem {
  const points = value.scopeMetrics.flatMap(({ metrics }) =>
    metrics.map(({ dataPoints }) => dataPoints.length),
  )
  const bytes = points.reduce((sum, count) => sum + count * POINT_BYTES, BASE_BYTES)
  return { kind: 'metrics', value, bytes, worth: 'metric' }
}
