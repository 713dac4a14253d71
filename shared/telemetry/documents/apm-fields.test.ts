import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { expect, test } from 'vitest'
import { withApmFields } from './apm-fields.ts'

const exporter = new InMemorySpanExporter()
const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).getTracer(
  'test',
)

function ended(options: Parameters<typeof tracer.startSpan>[1], parent?: { readonly isRemote: boolean }) {
  exporter.reset()
  const context = parent
    ? trace.setSpanContext(ROOT_CONTEXT, {
        traceId: 'a'.repeat(32),
        spanId: 'b'.repeat(16),
        traceFlags: TraceFlags.SAMPLED,
        ...parent,
      })
    : ROOT_CONTEXT
  const span = tracer.startSpan('work', { startTime: [1_764_100_000, 1_000], ...options }, context)
  if (options?.attributes?.['error.type']) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end([1_764_100_000, 2_001_000])
  return exporter.getFinishedSpans()[0]!
}

const fieldsOf = (span: ReadableSpan) => withApmFields(span).attributes

test('a request, with or without a caller that is traced, is a transaction with its result', () => {
  const attributes = { 'http.response.status_code': 503 }
  for (const parent of [undefined, { isRemote: true }])
    expect(fieldsOf(ended({ kind: SpanKind.SERVER, attributes }, parent))).toMatchObject({
      'processor.event': 'transaction',
      'transaction.type': 'request',
      'transaction.result': 'HTTP 5xx',
      'transaction.root': parent === undefined,
      'transaction.duration.us': 2_000,
      'timestamp.us': 1_764_100_000_000_001,
      'event.outcome': 'success',
    })
})

test('a batch of Kafka is a transaction, and sending is a span that draws an edge to the topic', () => {
  const attributes = { 'messaging.system': 'kafka', 'messaging.destination.name': 'air.changes' }
  expect(fieldsOf(ended({ kind: SpanKind.CONSUMER, attributes }))).toMatchObject({
    'processor.event': 'transaction',
    'transaction.type': 'messaging',
    'transaction.message.queue.name': 'air.changes',
  })
  expect(fieldsOf(ended({ kind: SpanKind.PRODUCER, attributes }, { isRemote: false }))).toMatchObject({
    'processor.event': 'span',
    'span.type': 'messaging',
    'span.subtype': 'kafka',
    'span.destination.service.resource': 'kafka/air.changes',
  })
})

test('a root that calls another is a transaction which draws an edge, too', () => {
  const fields = fieldsOf(ended({ kind: SpanKind.CLIENT, attributes: { 'db.system.name': 'redis' } }))
  expect(fields).toMatchObject({
    'processor.event': 'transaction',
    'span.destination.service.resource': 'redis',
  })
})

test('a failure is one, and the span itself stays as it was', () => {
  const span = ended({ attributes: { 'error.type': 'BUG' } }, { isRemote: false })
  const enriched = withApmFields(span)
  expect(enriched.attributes).toMatchObject({
    'event.outcome': 'failure',
    'span.type': 'app',
    'error.type': 'BUG',
  })
  expect(enriched.spanContext()).toEqual(span.spanContext())
  expect(enriched.ended).toBe(true)
  expect(span.attributes).toEqual({ 'error.type': 'BUG' })
})
