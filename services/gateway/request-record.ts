import type { Answer } from '@freshet/records/answer.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'

/** What is worth knowing of a request when it is over. */
export interface RequestFacts {
  readonly method: string
  readonly route: string
  readonly status: number
  readonly answer: Answer | undefined
  /** Wall-clock milliseconds. */
  readonly startedAtMs: number
  readonly isLate: boolean
  /** The caller's W3C `traceparent`, if it sent one. */
  readonly traceparent: string | null
  /** What went wrong, for status 500. */
  readonly error: unknown
}

/**
 * Counts every answer, and leaves a span of those that are degraded, late or failed and of a share of the rest. The
 * span is made only then: most requests pay for a few additions.
 */
export class RequestRecord {
  readonly #telemetry: Telemetry
  readonly #share: number
  readonly #random: () => number
  readonly #onAnswer: () => void

  constructor(telemetry: Telemetry, options: { share: number; random: () => number; onAnswer: () => void }) {
    this.#telemetry = telemetry
    this.#share = options.share
    this.#random = options.random
    this.#onAnswer = options.onAnswer
  }

  keep(facts: RequestFacts): void {
    const { metrics } = this.#telemetry
    const { answer, isLate, status } = facts
    this.#onAnswer()
    if (answer !== undefined) metrics.add('freshet.answers', 1, answer.source)
    if (answer?.degraded === true) metrics.add('freshet.answers.degraded')
    if (isLate) metrics.add('freshet.answers.late')
    const isGood = answer?.degraded !== true && !isLate && status < 500
    if (!isGood || this.#random() < this.#share) this.#leaveSpan(facts)
  }

  #leaveSpan({ method, route, status, answer, startedAtMs, isLate, traceparent, error }: RequestFacts): void {
    const span = this.#telemetry.tracer.startSpan(
      `${method} ${route}`,
      {
        kind: SpanKind.SERVER,
        startTime: startedAtMs,
        attributes: {
          [ATTRIBUTES.httpMethod]: method,
          [ATTRIBUTES.httpRoute]: route,
          [ATTRIBUTES.httpStatus]: status,
          ...(isLate && { [ATTRIBUTES.answerLate]: true }),
          ...(answer !== undefined && attributesOf(answer)),
        },
      },
      parentOf(traceparent),
    )
    if (error !== undefined) span.recordException(error instanceof Error ? error : String(error))
    if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end()
  }
}

function attributesOf({ key, source, age_ms, degraded, reason, model }: Answer) {
  return {
    [ATTRIBUTES.answerSource]: source,
    [ATTRIBUTES.answerDegraded]: degraded,
    ...(reason !== undefined && { [ATTRIBUTES.answerReason]: reason }),
    ...(age_ms !== null && { [ATTRIBUTES.answerAgeMs]: age_ms }),
    ...(key !== null && { [ATTRIBUTES.key]: key }),
    ...(model !== null && { [ATTRIBUTES.model]: model }),
  }
}

function parentOf(traceparent: string | null): Context {
  const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(traceparent ?? '')
  if (match === null) return ROOT_CONTEXT
  const [, traceId, spanId] = match as unknown as [string, string, string]
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  })
}
