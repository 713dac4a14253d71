import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { Metrics } from './metrics.ts'
import { BATCH_STAGES } from './metrics-table.ts'

type BatchStage = (typeof BATCH_STAGES)[number]

const NAMES: ReadonlySet<unknown> = new Set(BATCH_STAGES)

/** Counts how long batches took, by the spans that stand for them: those of a stage that no other span is around. */
export function batchDurations(metrics: Metrics): SpanProcessor {
  return {
    onStart() {},
    onEnd({ attributes, parentSpanContext, duration }: ReadableSpan) {
      const stage = attributes[ATTRIBUTES.stage]
      if (parentSpanContext !== undefined || !NAMES.has(stage)) return
      metrics.record('freshet.batch.duration', duration[0] + duration[1] / 1e9, stage as BatchStage)
    },
    async forceFlush() {},
    async shutdown() {},
  }
}
