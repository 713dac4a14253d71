import { toFreshetError } from '@freshet/errors/errors.ts'
import type { TraceContext } from '@freshet/records/change.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api'

export interface SpanShape {
  readonly name: string
  readonly kind?: SpanKind
  readonly attributes?: Attributes
  readonly links?: readonly Link[]
  /** Unless told, the span in which it is started. */
  readonly parent?: TraceContext | null
}

/** Runs `work` inside a span of its own; a failure is the span's status and code, and is thrown on. */
export function inSpan<T>(tracer: Tracer, shape: SpanShape, work: (span: Span) => Promise<T>): Promise<T> {
  const { name, kind = SpanKind.INTERNAL, attributes = {}, links = [] } = shape
  const within = shape.parent ? contextOf(shape.parent) : context.active()
  return tracer.startActiveSpan(name, { kind, attributes, links: [...links] }, within, async (span) => {
    try {
      return await work(span)
    } catch (error) {
      failSpan(span, error)
      throw error
    } finally {
      span.end()
    }
  })
}

/**
 * Leaves the span of work that is over: for what is worth a span only when something came of it.
 * @param times wall-clock milliseconds
 */
export function leaveSpan(
  tracer: Tracer,
  shape: SpanShape,
  { beganAtMs, endedAtMs, error }: { beganAtMs: number; endedAtMs: number; error?: unknown },
): TraceContext | null {
  const { name, kind = SpanKind.INTERNAL, attributes = {}, links = [] } = shape
  const within = shape.parent ? contextOf(shape.parent) : context.active()
  const span = tracer.startSpan(name, { kind, attributes, links: [...links], startTime: beganAtMs }, within)
  const left = traceContextOf(span)
  if (error !== undefined) failSpan(span, error)
  span.end(Math.max(beganAtMs, endedAtMs))
  return left
}

/** For a span below one that has travelled, or has ended. */
function contextOf({ traceId, spanId }: TraceContext): Context {
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED })
}

function failSpan(span: Span, error: unknown): void {
  const { code, message } = toFreshetError(error)
  span.setAttribute(ATTRIBUTES.errorType, code)
  span.setStatus({ code: SpanStatusCode.ERROR, message })
}

/** What the conventions ask of each thing that is done with Kafka. */
const OPERATIONS = {
  send: { type: 'send', kind: SpanKind.PRODUCER },
  poll: { type: 'receive', kind: SpanKind.CLIENT },
  process: { type: 'process', kind: SpanKind.CONSUMER },
  commit: { type: 'settle', kind: SpanKind.CLIENT },
} as const

export interface MessagingOptions {
  readonly topic: string
  readonly partition?: number
  readonly group?: string
  /** Messages in the batch. */
  readonly messages?: number
  readonly links?: readonly Link[]
  readonly attributes?: Attributes
  readonly parent?: TraceContext | null
}

/** A span of one batch, e.g. `process demo.changes`. */
export function messagingSpan(
  operation: keyof typeof OPERATIONS,
  { topic, partition, group, messages, links = [], attributes = {}, parent = null }: MessagingOptions,
): SpanShape {
  const { type, kind } = OPERATIONS[operation]
  return {
    name: `${operation} ${topic}`,
    kind,
    links,
    parent,
    attributes: {
      [ATTRIBUTES.messagingSystem]: 'kafka',
      [ATTRIBUTES.messagingOperationName]: operation,
      [ATTRIBUTES.messagingOperationType]: type,
      [ATTRIBUTES.messagingDestination]: topic,
      ...(partition !== undefined && { [ATTRIBUTES.messagingPartition]: String(partition) }),
      ...(group !== undefined && { [ATTRIBUTES.messagingGroup]: group }),
      ...(messages !== undefined && { [ATTRIBUTES.messagingBatchMessages]: messages }),
      ...attributes,
    },
  }
}

const MAX_LINKS = 128

/** One link for each distinct producer of a batch; a produce request is one, so a thousand messages make a handful. */
export function linksTo(producers: Iterable<TraceContext | null>): Link[] {
  const links = new Map<string, Link>()
  for (const producer of producers) {
    if (producer === null || links.has(producer.spanId)) continue
    links.set(producer.spanId, { context: { ...producer, traceFlags: TraceFlags.SAMPLED, isRemote: true } })
    if (links.size === MAX_LINKS) break
  }
  return [...links.values()]
}

/** What travels with a message so that its consumer can link back; null when the span is not recorded. */
export function traceContextOf(span: Span): TraceContext | null {
  const { traceId, spanId } = span.spanContext()
  return span.isRecording() && isSpanContextValid(span.spanContext()) ? { traceId, spanId } : null
}
