import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { type Link, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import {
  attributesObject,
  dataStream,
  resourceObject,
  scopeObject,
  type TelemetryDocument,
  timestamp,
  unlessEmpty,
  unlessZero,
} from './document.ts'

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
    ...attributesObject(span.attributes),
    ...unlessZero('dropped_attributes_count', span.droppedAttributesCount),
    ...unlessZero('dropped_events_count', span.droppedEventsCount),
    links: span.links.map(linkObject),
    ...unlessZero('dropped_links_count', span.droppedLinksCount),
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

function linkObject({ context, attributes, droppedAttributesCount }: Link): TelemetryDocument {
  return {
    trace_id: context.traceId,
    span_id: context.spanId,
    ...unlessEmpty('trace_state', context.traceState?.serialize()),
    ...attributesObject(attributes),
    ...unlessZero('dropped_attributes_count', droppedAttributesCount),
  }
}
