import { FreshetError } from '@freshet/errors/errors.ts'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { expect, test } from 'vitest'
import { inSpan, linksTo, messagingSpan, traceContextOf } from './spans.ts'

function recorder() {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  return { tracer: provider.getTracer('test'), spans: () => exporter.getFinishedSpans() }
}

test('a batch links to each of its producers once, however many messages it has', () => {
  const producer = (digit: string) => ({ traceId: digit.repeat(32), spanId: digit.repeat(16) })
  const links = linksTo([producer('a'), null, producer('b'), producer('a'), null])
  expect(links.map(({ context }) => context.spanId)).toEqual(['a'.repeat(16), 'b'.repeat(16)])
})

test('a batch of a thousand producers keeps to the limit of links', () => {
  const producers = Array.from({ length: 1_000 }, (_, at) => ({
    traceId: 'a'.repeat(32),
    spanId: String(at + 1).padStart(16, '0'),
  }))
  expect(linksTo(producers)).toHaveLength(128)
})

test('what a producer sends along is what its consumer links to', async () => {
  const { tracer, spans } = recorder()
  const sent = await inSpan(tracer, messagingSpan('send', { topic: 'air.changes' }), async (span) =>
    traceContextOf(span),
  )
  await inSpan(
    tracer,
    messagingSpan('process', { topic: 'air.changes', partition: 3, links: linksTo([sent]) }),
    async () => {},
  )
  const [send, process] = spans()
  expect(process!.links[0]!.context.spanId).toBe(send!.spanContext().spanId)
  expect(process).toMatchObject({
    name: 'process air.changes',
    kind: SpanKind.CONSUMER,
    attributes: { 'messaging.system': 'kafka', 'messaging.destination.partition.id': '3' },
  })
})

test('work that fails leaves its code on the span, and fails on', async () => {
  const { tracer, spans } = recorder()
  const work = inSpan(tracer, { name: 'merge' }, async () => {
    throw new FreshetError('S3_UNREACHABLE', 'no answer')
  })
  await expect(work).rejects.toMatchObject({ code: 'S3_UNREACHABLE' })
  expect(spans()[0]).toMatchObject({
    status: { code: SpanStatusCode.ERROR, message: 'no answer' },
    attributes: { 'error.type': 'S3_UNREACHABLE' },
  })
})
