import { toFreshetError } from '@freshet/errors/errors.ts'
import type { Answer } from '@freshet/records/answer.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { type Answered, isTally } from '../answered.ts'
import type { Call } from '../routes/call.ts'

/** A call that is over. */
export type EndedCall = Pick<
  Call,
  'request' | 'route' | 'deadline' | 'answered' | 'traced' | 'fellBackAtMs'
> & {
  /** What went wrong, for a status from 500. */
  readonly error: unknown
}

export interface Ending {
  readonly status: number
  readonly isLate: boolean
  /** Of the monotonic clock, */
  readonly endedAtMs: number
  /** and of the one on the wall. */
  readonly endedWallMs: number
}

type Parts = Pick<Telemetry, 'tracer' | 'traced'>

/** The span of a request that is over, and below it what was done when the best source did not answer. */
export function leaveRequestSpan({ tracer, traced }: Parts, call: EndedCall, ending: Ending): Span {
  const { request, route, deadline, answered, error } = call
  const { status, isLate, endedAtMs, endedWallMs } = ending
  const { method, headers } = request
  const span = tracer.startSpan(
    `${method} ${route}`,
    {
      kind: SpanKind.SERVER,
      startTime: endedWallMs - (endedAtMs - deadline.acceptedAtMs),
      attributes: {
        [ATTRIBUTES.httpMethod]: method,
        [ATTRIBUTES.httpRoute]: route,
        [ATTRIBUTES.httpStatus]: status,
        ...(isLate && { [ATTRIBUTES.answerLate]: true }),
        ...(answered !== undefined && attributesOf(answered, traced)),
      },
    },
    parentOf(headers.get('traceparent')),
  )
  if (answered !== undefined && wasDegraded(answered)) leaveFallback(tracer, span, answered, call, ending)
  if (error !== undefined) {
    span.recordException(error instanceof Error ? error : String(error))
    span.setAttribute(ATTRIBUTES.errorType, toFreshetError(error).code)
  }
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end(endedWallMs)
  return span
}

/** From when the better source was given up until the answer was there. */
function leaveFallback(
  tracer: Parts['tracer'],
  request: Span,
  answered: Answered,
  { fellBackAtMs }: EndedCall,
  { endedAtMs, endedWallMs }: Ending,
): void {
  const since = (isTally(answered) ? answered.fellBackAtMs : fellBackAtMs) ?? endedAtMs
  const to = isTally(answered) ? 'other sources' : answered.source
  const { reason } = answered
  const span = tracer.startSpan(
    `fallback to ${to}`,
    {
      startTime: endedWallMs - (endedAtMs - since),
      attributes: {
        ...(isTally(answered)
          ? { [ATTRIBUTES.rows]: answered.degraded }
          : { [ATTRIBUTES.answerSource]: answered.source }),
        ...(reason !== undefined && { [ATTRIBUTES.answerReason]: reason }),
      },
    },
    trace.setSpan(ROOT_CONTEXT, request),
  )
  span.end(endedWallMs)
}

function wasDegraded(answered: Answered): boolean {
  return isTally(answered) ? answered.degraded > 0 : answered.degraded
}

function attributesOf(answered: Answered, traced: Parts['traced']) {
  if (isTally(answered))
    return {
      [ATTRIBUTES.rows]: answered.asked,
      [ATTRIBUTES.answerDegraded]: answered.degraded > 0,
      ...(answered.reason !== undefined && { [ATTRIBUTES.answerReason]: answered.reason }),
    }
  return answerAttributes(answered, traced)
}

/** What spans and lines say of one answer. */
export function answerAttributes(answer: Answer, { names }: Parts['traced']) {
  const { key, source, age_ms, degraded, reason, model } = answer
  return {
    [ATTRIBUTES.answerSource]: source,
    [ATTRIBUTES.answerDegraded]: degraded,
    ...(reason !== undefined && { [ATTRIBUTES.answerReason]: reason }),
    ...(age_ms !== null && { [ATTRIBUTES.answerAgeMs]: age_ms }),
    ...(key !== null && { [ATTRIBUTES.key]: names.shown(key) }),
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
