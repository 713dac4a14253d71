/** Where the SDK hands over what goes to a collector. */
import { ExportResultCode } from '@opentelemetry/core'
import type { LogRecordProcessor } from '@opentelemetry/sdk-logs'
import type { AggregationTemporality, PushMetricExporter } from '@opentelemetry/sdk-metrics'
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-base'
import { FLUSHED_ELSEWHERE } from '../outbox/flushed-elsewhere.ts'
import type { Outbox } from '../outbox/outbox.ts'
import { logItem, metricsItem, type OtlpItem, spanItem } from './otlp-item.ts'

type ItemOutbox = Pick<Outbox<OtlpItem>, 'push'>

export function spanProcessor(outbox: ItemOutbox): SpanProcessor {
  return {
    onStart() {},
    onEnd: (span: ReadableSpan) => outbox.push(spanItem(span)),
    ...FLUSHED_ELSEWHERE,
  }
}

export function logProcessor(outbox: ItemOutbox): LogRecordProcessor {
  return { onEmit: (record) => outbox.push(logItem(record)), ...FLUSHED_ELSEWHERE }
}

export function metricExporter(outbox: ItemOutbox, temporality: AggregationTemporality): PushMetricExporter {
  return {
    export(collected, done) {
      outbox.push(metricsItem(collected))
      done({ code: ExportResultCode.SUCCESS })
    },
    selectAggregationTemporality: () => temporality,
    ...FLUSHED_ELSEWHERE,
  }
}
