/** Where the SDK hands over what goes straight to Elasticsearch. */
import { randomUUID } from 'node:crypto'
import { type ExportResult, ExportResultCode } from '@opentelemetry/core'
import type { LogRecordProcessor } from '@opentelemetry/sdk-logs'
import { AggregationTemporality, type PushMetricExporter } from '@opentelemetry/sdk-metrics'
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-base'
import { dataStream, msOf } from '../documents/document.ts'
import { logDocument } from '../documents/log-document.ts'
import { metricDocuments } from '../documents/metric-documents.ts'
import { spanDocument, spanEventDocuments } from '../documents/span-documents.ts'
import { FLUSHED_ELSEWHERE } from '../outbox/flushed-elsewhere.ts'
import type { Outbox } from '../outbox/outbox.ts'
import { worthOfLog } from '../outbox/worth-of-log.ts'
import { type BulkDocument, bulkDocument } from './bulk-document.ts'

type DocumentOutbox = Pick<Outbox<BulkDocument>, 'push'>

/** Hands over every ended span, and its events. */
export function spanProcessor(outbox: DocumentOutbox, namespace: string): SpanProcessor {
  const traces = dataStream('traces', namespace)
  const logs = dataStream('logs', namespace)
  return {
    onStart() {},
    onEnd(span: ReadableSpan) {
      const { traceId, spanId } = span.spanContext()
      const id = `${traceId}${spanId}`
      const atMs = msOf(span.startTime)
      outbox.push(bulkDocument(spanDocument(span, namespace), { stream: traces, id, atMs, worth: 'span' }))
      if (span.events.length === 0) return
      for (const [at, event] of spanEventDocuments(span, namespace).entries()) {
        const eventMs = msOf(span.events[at]!.time)
        outbox.push(bulkDocument(event, { stream: logs, id: `${id}-${at}`, atMs: eventMs, worth: 'span' }))
      }
    },
    ...FLUSHED_ELSEWHERE,
  }
}

/** Hands over every log record. */
export function logProcessor(outbox: DocumentOutbox, namespace: string): LogRecordProcessor {
  const stream = dataStream('logs', namespace)
  const nextId = idsOfProcess()
  return {
    onEmit(record) {
      const atMs = msOf(record.hrTime)
      const worth = worthOfLog(record)
      outbox.push(bulkDocument(logDocument(record, namespace), { stream, id: nextId(), atMs, worth }))
    },
    ...FLUSHED_ELSEWHERE,
  }
}

/** Hands over what is collected of metrics, as what came since the collection before. */
export function metricExporter(outbox: DocumentOutbox, namespace: string): PushMetricExporter {
  const stream = dataStream('metrics', namespace)
  const nextId = idsOfProcess()
  return {
    export(collected, done: (result: ExportResult) => void) {
      for (const document of metricDocuments(collected, namespace)) {
        const atMs = document['@timestamp'] as number
        outbox.push(bulkDocument(document, { stream, id: nextId(), atMs, worth: 'metric' }))
      }
      done({ code: ExportResultCode.SUCCESS })
    },
    selectAggregationTemporality: () => AggregationTemporality.DELTA,
    ...FLUSHED_ELSEWHERE,
  }
}

function idsOfProcess(): () => string {
  const process = randomUUID()
  let count = 0
  return () => `${process}-${count++}`
}
