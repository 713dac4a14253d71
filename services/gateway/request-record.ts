import { ANSWER_SOURCES, type AnswerSource } from '@freshet/records/answer.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import type { Answered } from './answered.ts'
import { Durations } from './metrics/durations.ts'
import type { Call } from './routes/call.ts'

/** What requests are counted under of which no route is known. */
export const ANY_ROUTE = '/v1/*'

/** A call that is over. */
type Ended = Pick<Call, 'context' | 'route' | 'deadline' | 'answered'> & {
  /** What went wrong, for status 500. */
  readonly error: unknown
}

export interface RecordOptions {
  /** Of good answers, those that leave a span. */
  readonly share: number
  /** Of the others; what is beyond is only counted. */
  readonly spansPerSecond: number
  readonly random: () => number
  /** Told of every call that is over, however it ended. */
  readonly onEnded: () => void
}

/**
 * Counts every answer, and leaves a span of those that are degraded, late or failed and of a share of the rest. The
 * span is made only then: most requests pay for a few additions, and while a store is away, so do nearly all of them.
 */
export class RequestRecord {
  readonly durations = new Durations()
  readonly #telemetry: Telemetry
  readonly #options: RecordOptions
  #second = 0
  #spansInSecond = 0

  constructor(telemetry: Telemetry, options: RecordOptions) {
    this.#telemetry = telemetry
    this.#options = options
  }

  keep(call: Ended, status: number): void {
    const { metrics } = this.#telemetry
    const { answered } = call
    const endedAtMs = performance.now()
    const isLate = endedAtMs > call.deadline.endsAtMs
    this.#options.onEnded()
    const isDegraded = answered !== undefined && this.#count(answered)
    if (isLate) metrics.add('freshet.answers.late')
    this.durations.add({
      method: call.context.req.method,
      route: call.route,
      status,
      source: sourceOf(answered),
      tookMs: endedAtMs - call.deadline.acceptedAtMs,
    })
    const isGood = !isDegraded && !isLate && status < 500
    if (isGood ? this.#options.random() < this.#options.share : this.#mayTell(endedAtMs))
      this.#leaveSpan(call, { status, isLate, endedAtMs })
  }

  /** One that was refused at the door, before anybody looked at what it asks for. */
  refused({ method, tookMs }: { readonly method: string; readonly tookMs: number }): void {
    this.#telemetry.metrics.add('freshet.requests.refused')
    this.durations.add({ method, route: ANY_ROUTE, status: 503, source: 'none', tookMs })
  }

  #mayTell(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#spansInSecond = 0
    }
    if (this.#spansInSecond++ < this.#options.spansPerSecond) return true
    this.#telemetry.metrics.add('freshet.requests.untraced')
    return false
  }

  /** @returns whether any answer is degraded. */
  #count(answered: Answered): boolean {
    const { metrics } = this.#telemetry
    if (!('bySource' in answered)) {
      metrics.add('freshet.answers', 1, answered.source)
      if (answered.degraded) metrics.add('freshet.answers.degraded')
      return answered.degraded
    }
    for (const [source, answers] of Object.entries(answered.bySource))
      if (answers > 0) metrics.add('freshet.answers', answers, source as AnswerSource)
    if (answered.degraded > 0) metrics.add('freshet.answers.degraded', answered.degraded)
    return answered.degraded > 0
  }

  #leaveSpan(
    { context, route, deadline, answered, error }: Ended,
    { status, isLate, endedAtMs }: { status: number; isLate: boolean; endedAtMs: number },
  ): void {
    const { method, raw } = context.req
    const span = this.#telemetry.tracer.startSpan(
      `${method} ${route}`,
      {
        kind: SpanKind.SERVER,
        startTime: Date.now() - (endedAtMs - deadline.acceptedAtMs),
        attributes: {
          [ATTRIBUTES.httpMethod]: method,
          [ATTRIBUTES.httpRoute]: route,
          [ATTRIBUTES.httpStatus]: status,
          ...(isLate && { [ATTRIBUTES.answerLate]: true }),
          ...(answered !== undefined && attributesOf(answered)),
        },
      },
      parentOf(raw.headers.get('traceparent')),
    )
    if (error !== undefined) span.recordException(error instanceof Error ? error : String(error))
    if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end()
  }
}

function sourceOf(answered: Answered | undefined): string {
  if (answered === undefined) return 'none'
  if (!('bySource' in answered)) return answered.source
  const sources = ANSWER_SOURCES.filter((source) => answered.bySource[source] > 0)
  return sources.length > 1 ? 'mixed' : (sources[0] ?? 'none')
}

function attributesOf(answered: Answered) {
  if ('bySource' in answered)
    return {
      [ATTRIBUTES.rows]: answered.asked,
      [ATTRIBUTES.answerDegraded]: answered.degraded > 0,
      ...(answered.reason !== undefined && { [ATTRIBUTES.answerReason]: answered.reason }),
    }
  const { key, source, age_ms, degraded, reason, model } = answered
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
