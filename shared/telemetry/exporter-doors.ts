import { randomUUID } from 'node:crypto'
import type { InstrumentationScope } from '@opentelemetry/core'
import type { Resource } from '@opentelemetry/resources'
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-base'
import { queuedDocument } from './document-queue.ts'
import { dataStream, dataStreamName, logDocument, spanDocument, spanEventDocuments } from './documents.ts'
import type { ElasticsearchExporter } from './elasticsearch-exporter.ts'
import { type LogRecord, SEVERITIES } from './log-record.ts'

export interface Origin {
  readonly resource: Resource
  readonly scope: InstrumentationScope
  readonly namespace: string
}

/** Hands every ended span, and its events, to the exporter. */
export function spanProcessor(exporter: ElasticsearchExporter, namespace: string): SpanProcessor {
  const traces = dataStreamName(dataStream('traces', namespace))
  const logs = dataStreamName(dataStream('logs', namespace))
  return {
    onStart() {},
    onEnd(span: ReadableSpan) {
      const { traceId, spanId } = span.spanContext()
      const id = `${traceId}${spanId}`
      exporter.push(queuedDocument(spanDocument(span, namespace), { index: traces, id, worth: 'span' }))
      spanEventDocuments(span, namespace).forEach((event, at) => {
        exporter.push(queuedDocument(event, { index: logs, id: `${id}-${at}`, worth: 'span' }))
      })
    },
    // The exporter is flushed by whoever opened it.
    async forceFlush() {},
    async shutdown() {},
  }
}

/** Hands every log record to the exporter. */
export function logExporter(exporter: ElasticsearchExporter, origin: Origin): (record: LogRecord) => void {
  const index = dataStreamName(dataStream('logs', origin.namespace))
  const process = randomUUID()
  let count = 0
  return (record) => {
    const worth = SEVERITIES[record.level] < SEVERITIES.warn ? 'chatter' : 'alarm'
    exporter.push(queuedDocument(logDocument(record, origin), { index, id: `${process}-${count++}`, worth }))
  }
}
