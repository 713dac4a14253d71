/**
 * Spans and log records as the documents that the OpenTelemetry Collector's Elasticsearch exporter writes (mapping mode
 * `otel`). One difference: nanoseconds are padded to six digits, since Elasticsearch reads them as a decimal fraction
 * of a millisecond and would take `131.500` for half a millisecond, not 500 ns.
 */

import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { type Attributes, type HrTime, type Link, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import type { InstrumentationScope } from '@opentelemetry/core'
import type { Resource } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { type LogRecord, SEVERITIES } from './log-record.ts'

/** Which data stream, or plain index of the same name. */
export interface DataStream {
  readonly type: 'traces' | 'logs'
  readonly dataset: string
  readonly namespace: string
}

export function dataStream(type: DataStream['type'], namespace: string): DataStream {
  return { type, dataset: 'freshet.otel', namespace }
}

export function dataStreamName({ type, dataset, namespace }: DataStream): string {
  return `${type}-${dataset}-${namespace}`
}

/** As JSON.stringify takes it; fields stand in the exporter's order. */
export type TelemetryDocument = Readonly<Record<string, unknown>>

export function spanDocument(span: ReadableSpan, namespace: string): TelemetryDocument {
  const { traceId, spanId, traceState } = span.spanContext()
  return {
    '@timestamp': timestamp(span.startTime),
    data_stream: dataStream('traces', namespace),
    trace_id: traceId,
    span_id: spanId,
    ...unlessEmpty('trace_state', traceState?.serialize()),
    ...unlessEmpty('parent_span_id', span.parentSpanContext?.spanId),
    ...unlessEmpty('name', span.name),
    kind: KINDS[span.kind],
    duration: span.duration[0] * 1e9 + span.duration[1],
    ...attributes(span.attributes),
    ...unlessZero('dropped_attributes_count', span.droppedAttributesCount),
    ...unlessZero('dropped_events_count', span.droppedEventsCount),
    ...unlessZero('dropped_links_count', span.droppedLinksCount),
    links: span.links.map(linkObject),
    status: {
      ...unlessEmpty('message', span.status.message),
      ...unlessEmpty('code', STATUS_CODES[span.status.code]),
    },
    resource: resourceObject(span.resource),
    scope: scopeObject(span.instrumentationScope),
  }
}

/** A span's events, which the exporter writes as logs. */
export function spanEventDocuments(span: ReadableSpan, namespace: string): TelemetryDocument[] {
  const { traceId, spanId } = span.spanContext()
  return span.events.map((event) => ({
    '@timestamp': timestamp(event.time),
    data_stream: dataStream('logs', namespace),
    trace_id: traceId,
    span_id: spanId,
    ...unlessZero('dropped_attributes_count', event.droppedAttributesCount),
    ...unlessEmpty('event_name', event.name),
    attributes: { ...event.attributes, [ATTRIBUTES.eventName]: event.name },
    resource: resourceObject(span.resource),
    scope: scopeObject(span.instrumentationScope),
  }))
}

export function logDocument(
  record: LogRecord,
  from: { readonly resource: Resource; readonly scope: InstrumentationScope; readonly namespace: string },
): TelemetryDocument {
  const at = `${record.atMs}.000000`
  const eventName = record.attributes[ATTRIBUTES.eventName]
  return {
    '@timestamp': at,
    observed_timestamp: at,
    data_stream: dataStream('logs', from.namespace),
    severity_text: record.level.toUpperCase(),
    severity_number: SEVERITIES[record.level],
    ...(record.trace && { trace_id: record.trace.traceId, span_id: record.trace.spanId }),
    ...attributes(record.attributes),
    ...(eventName !== undefined && { event_name: eventName }),
    resource: resourceObject(from.resource),
    scope: scopeObject(from.scope),
    body: { text: record.message },
  }
}

const KINDS: Readonly<Record<SpanKind, string>> = {
  [SpanKind.INTERNAL]: 'Internal',
  [SpanKind.SERVER]: 'Server',
  [SpanKind.CLIENT]: 'Client',
  [SpanKind.PRODUCER]: 'Producer',
  [SpanKind.CONSUMER]: 'Consumer',
}

const STATUS_CODES: Readonly<Record<SpanStatusCode, string>> = {
  [SpanStatusCode.UNSET]: '',
  [SpanStatusCode.OK]: 'Ok',
  [SpanStatusCode.ERROR]: 'Error',
}

/** Milliseconds, then six digits of nanoseconds. */
function timestamp([seconds, nanoseconds]: HrTime): string {
  const ms = seconds * 1000 + Math.floor(nanoseconds / 1e6)
  return `${ms}.${String(nanoseconds % 1e6).padStart(6, '0')}`
}

function linkObject({ context, attributes: ofLink, droppedAttributesCount }: Link): TelemetryDocument {
  return {
    trace_id: context.traceId,
    span_id: context.spanId,
    ...unlessEmpty('trace_state', context.traceState?.serialize()),
    ...attributes(ofLink),
    ...unlessZero('dropped_attributes_count', droppedAttributesCount),
  }
}

function resourceObject({ schemaUrl, attributes: ofResource }: Resource): TelemetryDocument {
  return { ...unlessEmpty('schema_url', schemaUrl), ...attributes(ofResource) }
}

function scopeObject({ schemaUrl, name, version }: InstrumentationScope): TelemetryDocument {
  return {
    ...unlessEmpty('schema_url', schemaUrl),
    ...unlessEmpty('name', name),
    ...unlessEmpty('version', version),
  }
}

/** Keys stay flat with their dots. */
function attributes(values: Attributes | undefined): TelemetryDocument {
  return values !== undefined && Object.keys(values).length > 0 ? { attributes: values } : {}
}

function unlessEmpty(name: string, value: string | undefined): TelemetryDocument {
  return value === undefined || value === '' ? {} : { [name]: value }
}

function unlessZero(name: string, count: number | undefined): TelemetryDocument {
  return count === undefined || count === 0 ? {} : { [name]: count }
}
