import { PerSecond } from '@freshet/stage/per-second.ts'
import { context, INVALID_SPAN_CONTEXT, type Span, trace } from '@opentelemetry/api'
import { suppressTracing } from '@opentelemetry/core'
import type { BATCH_STAGES } from './metrics-table.ts'
import { inSpan, type SpanShape } from './spans.ts'
import type { Telemetry } from './telemetry.ts'

/**
 * A span for each micro-batch, and spans of its steps below, as long as there are few. Under load a scorer works off
 * hundreds a second, each with four or five spans: to index them costs Elasticsearch as much as scoring costs us, and
 * nobody looks at two thousand a second (figures: decisions/0034). Beyond a number a second they have none: how long they
 * took is counted all the same, what fails is told in the log, and documents that are traced keep spans of their own.
 */
export class BatchSpans {
  readonly #telemetry: Pick<Telemetry, 'tracer' | 'metrics'>
  readonly #perSecond: PerSecond

  constructor(telemetry: Pick<Telemetry, 'tracer' | 'metrics'>, perSecond: number) {
    this.#telemetry = telemetry
    this.#perSecond = new PerSecond(perSecond)
  }

  /** @param stage what the batch's duration is counted under: that of `shape`. */
  async run<T>(
    stage: (typeof BATCH_STAGES)[number],
    shape: SpanShape,
    work: (span: Span) => Promise<T>,
  ): Promise<T> {
    const { tracer, metrics } = this.#telemetry
    const beganAtMs = performance.now()
    if (this.#perSecond.take(beganAtMs)) return await inSpan(tracer, shape, work)
    metrics.add('freshet.batches.untraced')
    try {
      return await context.with(suppressTracing(context.active()), () => work(NO_SPAN))
    } finally {
      metrics.record('freshet.batch.duration', (performance.now() - beganAtMs) / 1_000, stage)
    }
  }
}

const NO_SPAN = trace.wrapSpanContext(INVALID_SPAN_CONTEXT)
