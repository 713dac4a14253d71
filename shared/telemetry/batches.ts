import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { PerSecond } from '@freshet/stage/per-second.ts'
import { context, INVALID_SPAN_CONTEXT, type Span, trace } from '@opentelemetry/api'
import { suppressTracing } from '@opentelemetry/core'
import type { BATCH_STAGES } from './metrics-table.ts'
import { inSpan, type SpanShape } from './spans.ts'
import type { Telemetry } from './telemetry.ts'

type BatchStage = (typeof BATCH_STAGES)[number]

/**
 * A span for each micro-batch, and spans of its steps below, as long as there are few. Under load a scorer works off
 * hundreds a second, each with four or five spans: to index them costs Elasticsearch half as much as scoring costs us, and
 * nobody looks at two thousand a second (figures: decisions/0034). Beyond a number a second they have none: how long they
 * took is counted all the same, what fails is told in the log, and documents that are traced keep spans of their own.
 */
export class Batches {
  readonly #telemetry: Pick<Telemetry, 'tracer' | 'metrics'>
  readonly #stage: BatchStage
  readonly #spans: PerSecond

  constructor(telemetry: Pick<Telemetry, 'tracer' | 'metrics'>, stage: BatchStage, spansPerSecond: number) {
    this.#telemetry = telemetry
    this.#stage = stage
    this.#spans = new PerSecond(spansPerSecond)
  }

  run<T>(shape: SpanShape, work: (span: Span) => Promise<T>): Promise<T> {
    const { tracer, metrics } = this.#telemetry
    return timed(metrics, this.#stage, () => {
      if (this.#spans.take(performance.now())) {
        const attributes = { [ATTRIBUTES.stage]: this.#stage, ...shape.attributes }
        return inSpan(tracer, { ...shape, attributes }, work)
      }
      metrics.add('freshet.batches.untraced')
      return context.with(suppressTracing(context.active()), () => work(NO_SPAN))
    })
  }
}

const NO_SPAN = trace.wrapSpanContext(INVALID_SPAN_CONTEXT)

/** Counts how long a batch took, whatever came of it. */
export async function timed<T>(
  metrics: Telemetry['metrics'],
  stage: BatchStage,
  work: () => Promise<T>,
): Promise<T> {
  const beganAtMs = performance.now()
  try {
    return await work()
  } finally {
    metrics.record('freshet.batch.duration', (performance.now() - beganAtMs) / 1_000, stage)
  }
}
