import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs'
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

/** @param record whose body is a line of text, as the logger's are. */
export function logDocument(record: ReadableLogRecord, namespace: string): TelemetryDocument {
  const { spanContext, attributes, eventName = attributes[ATTRIBUTES.eventName] } = record
  return {
    '@timestamp': timestamp(record.hrTime),
    observed_timestamp: timestamp(record.hrTimeObserved),
    data_stream: dataStream('logs', namespace),
    ...unlessEmpty('severity_text', record.severityText),
    ...unlessZero('severity_number', record.severityNumber),
    ...(spanContext && { trace_id: spanContext.traceId, span_id: spanContext.spanId }),
    ...attributesObject(attributes),
    ...unlessZero('dropped_attributes_count', record.droppedAttributesCount),
    ...(typeof eventName === 'string' && unlessEmpty('event_name', eventName)),
    resource: resourceObject(record.resource),
    scope: scopeObject(record.instrumentationScope),
    body: { text: record.body },
  }
}
