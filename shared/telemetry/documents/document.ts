/**
 * Spans, log records and metrics as the documents that the OpenTelemetry Collector's Elasticsearch exporter writes
 * (mapping mode `otel`). One difference: nanoseconds are padded to six digits, since Elasticsearch reads them as a
 * decimal fraction of a millisecond and would take `131.500` for half a millisecond, not 500 ns.
 */

import type { HrTime } from '@opentelemetry/api'
import type { InstrumentationScope } from '@opentelemetry/core'
import type { Resource } from '@opentelemetry/resources'

export const SIGNALS = ['traces', 'logs', 'metrics'] as const

/** Which data stream, or plain index of the same name. */
export interface DataStream {
  readonly type: (typeof SIGNALS)[number]
  readonly dataset: string
  readonly namespace: string
}

export const DATASET = 'freshet'

export function dataStream(type: DataStream['type'], namespace: string): DataStream {
  return { type, dataset: `${DATASET}.otel`, namespace }
}

export function dataStreamName({ type, dataset, namespace }: DataStream): string {
  return `${type}-${dataset}-${namespace}`
}

/** As JSON.stringify takes it; fields stand in the exporter's order. */
export type TelemetryDocument = Readonly<Record<string, unknown>>

export function msOf([seconds, nanoseconds]: HrTime): number {
  return seconds * 1_000 + Math.floor(nanoseconds / 1e6)
}

/** Milliseconds, then six digits of nanoseconds. */
export function timestamp(time: HrTime): string {
  return `${msOf(time)}.${String(time[1] % 1e6).padStart(6, '0')}`
}

/** What the Collector takes for itself, to choose a data stream, and writes nowhere else. */
const ROUTING = new Set(['data_stream.dataset', 'data_stream.namespace'])

const resources = new WeakMap<Resource, TelemetryDocument>()

/** A process has one or two resources, and they never change. */
export function resourceObject(resource: Resource): TelemetryDocument {
  let made = resources.get(resource)
  if (made === undefined) {
    const kept = Object.entries(resource.attributes).filter(([name]) => !ROUTING.has(name))
    made = { ...unlessEmpty('schema_url', resource.schemaUrl), ...attributesObject(Object.fromEntries(kept)) }
    resources.set(resource, made)
  }
  return made
}

export function scopeObject({ schemaUrl, name, version }: InstrumentationScope): TelemetryDocument {
  return {
    ...unlessEmpty('schema_url', schemaUrl),
    ...unlessEmpty('name', name),
    ...unlessEmpty('version', version),
  }
}

/** Keys stay flat with their dots. */
export function attributesObject(values: Readonly<Record<string, unknown>> | undefined): TelemetryDocument {
  return values !== undefined && Object.keys(values).length > 0 ? { attributes: values } : {}
}

export function unlessEmpty(name: string, value: string | undefined): TelemetryDocument {
  return value === undefined || value === '' ? {} : { [name]: value }
}

export function unlessZero(name: string, count: number | undefined): TelemetryDocument {
  return count === undefined || count === 0 ? {} : { [name]: count }
}
