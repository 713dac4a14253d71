import { createTraceState, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { expect, test } from 'vitest'
import { spanDocument, spanEventDocuments } from './span-documents.ts'

const TRACE_ID = '5ab0c1d2e3f4051627384950a1b2c3d4'
const SPAN_ID = '61a2b3c4d5e6f708'
const SCHEMA = 'https://opentelemetry.io/schemas/1.37.0'
const RESOURCE = { 'service.name': 'scorer', 'service.namespace': 'freshet', 'process.pid': 17 }
const SCOPE = { name: 'freshet.scorer', version: '0.1.0', schemaUrl: SCHEMA }

/** A failed batch with two producers and one event, recorded by the real SDK. */
function recordBatch() {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes(RESOURCE),
    idGenerator: { generateTraceId: () => TRACE_ID, generateSpanId: () => SPAN_ID },
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  })
  const span = provider
    .getTracer(SCOPE.name, SCOPE.version, { schemaUrl: SCHEMA })
    .startSpan('process air.changes', {
      kind: SpanKind.CONSUMER,
      startTime: [1_764_100_000, 123_000_789],
      attributes: {
        'messaging.system': 'kafka',
        'messaging.destination.partition.id': '3',
        'messaging.batch.message_count': 64,
        'freshet.share': 0.25,
        'freshet.models': ['delay@4', 'delay@5'],
      },
      links: [
        {
          context: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: TraceFlags.SAMPLED },
          attributes: { 'messaging.kafka.offset': 1042 },
        },
        {
          context: {
            traceId: 'c'.repeat(32),
            spanId: 'd'.repeat(16),
            traceFlags: TraceFlags.SAMPLED,
            traceState: createTraceState('vendor=x'),
          },
        },
      ],
    })
  span.addEvent('freshet.dead_letter', { 'freshet.key': 'k-1' }, [1_764_100_000, 131_000_500])
  span.setStatus({ code: SpanStatusCode.ERROR, message: '1 of 64 rows could not be scored' })
  span.end([1_764_100_000, 135_000_790])
  return exporter.getFinishedSpans()[0]!
}

test('a span reads as the collector would have written it, with six digits of nanoseconds', () => {
  expect(JSON.stringify(spanDocument(recordBatch(), 'test'))).toBe(
    '{"@timestamp":"1764100000123.000789",' +
      '"data_stream":{"type":"traces","dataset":"freshet.otel","namespace":"test"},' +
      `"trace_id":"${TRACE_ID}","span_id":"${SPAN_ID}",` +
      '"name":"process air.changes","kind":"Consumer","duration":12000001,' +
      '"attributes":{"messaging.system":"kafka","messaging.destination.partition.id":"3",' +
      '"messaging.batch.message_count":64,"freshet.share":0.25,"freshet.models":["delay@4","delay@5"]},' +
      `"links":[{"trace_id":"${'a'.repeat(32)}","span_id":"${'b'.repeat(16)}",` +
      '"attributes":{"messaging.kafka.offset":1042}},' +
      `{"trace_id":"${'c'.repeat(32)}","span_id":"${'d'.repeat(16)}","trace_state":"vendor=x"}],` +
      '"status":{"message":"1 of 64 rows could not be scored","code":"Error"},' +
      '"resource":{"attributes":{"service.name":"scorer","service.namespace":"freshet","process.pid":17}},' +
      `"scope":{"schema_url":"${SCHEMA}","name":"freshet.scorer","version":"0.1.0"}}`,
  )
})

test('an event of a span is a log document that names its span', () => {
  expect(JSON.stringify(spanEventDocuments(recordBatch(), 'test'))).toBe(
    '[{"@timestamp":"1764100000131.000500",' +
      '"data_stream":{"type":"logs","dataset":"freshet.otel","namespace":"test"},' +
      `"trace_id":"${TRACE_ID}","span_id":"${SPAN_ID}","event_name":"freshet.dead_letter",` +
      '"attributes":{"freshet.key":"k-1","event.name":"freshet.dead_letter"},' +
      '"resource":{"attributes":{"service.name":"scorer","service.namespace":"freshet","process.pid":17}},' +
      `"scope":{"schema_url":"${SCHEMA}","name":"freshet.scorer","version":"0.1.0"}}]`,
  )
})

test('a root span without attributes leaves out what it has not, but keeps links and status', () => {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  provider.getTracer('freshet.poller').startSpan('poll').end()
  const document = spanDocument(exporter.getFinishedSpans()[0]!, 'test')
  expect(document).toMatchObject({ name: 'poll', kind: 'Internal', links: [], status: {} })
  for (const absent of ['parent_span_id', 'trace_state', 'attributes', 'dropped_attributes_count'])
    expect(document).not.toHaveProperty(absent)
})
