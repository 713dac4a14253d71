/**
 * Spans, log records and metrics with every field that the documents know, with fixed times and ids: given to the real
 * Collector when its documents were recorded (test/collector), and to our own code when these are compared.
 */
import { createTraceState, type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api'
import { SeverityNumber } from '@opentelemetry/api-logs'
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources'
import {
  InMemoryLogRecordExporter,
  LoggerProvider,
  type ReadableLogRecord,
  SimpleLogRecordProcessor,
} from '@opentelemetry/sdk-logs'
import { AggregationTemporality, type ResourceMetrics } from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { MetricsProducer } from '../metric-producer.ts'
import { Metrics } from '../metrics.ts'

export const NAMESPACE = 'golden'

const RESOURCE: Resource = resourceFromAttributes({
  'service.name': 'scorer',
  'service.namespace': 'freshet',
  'service.instance.id': 'scorer-1',
  'process.pid': 17,
  'data_stream.dataset': 'freshet',
  'data_stream.namespace': NAMESPACE,
})
const SCOPE = {
  name: 'freshet.scorer',
  version: '0.1.0',
  schemaUrl: 'https://opentelemetry.io/schemas/1.37.0',
}
const SECONDS = 1_764_100_000

export interface RecordedSignals {
  readonly spans: readonly ReadableSpan[]
  readonly logs: readonly ReadableLogRecord[]
  readonly metrics: ResourceMetrics
}

export async function recordedSignals(): Promise<RecordedSignals> {
  return { spans: spans(), logs: logs(), metrics: await metrics() }
}

function spans(): readonly ReadableSpan[] {
  const exporter = new InMemorySpanExporter()
  let ids = 0
  const provider = new BasicTracerProvider({
    resource: RESOURCE,
    idGenerator: {
      generateTraceId: () => `${++ids}`.padStart(32, 'a'),
      generateSpanId: () => `${++ids}`.padStart(16, 'b'),
    },
    spanLimits: { attributeCountLimit: 12, eventCountLimit: 2 },
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  })
  const tracer = provider.getTracer(SCOPE.name, SCOPE.version, { schemaUrl: SCOPE.schemaUrl })
  const batch = tracer.startSpan('process air.changes', {
    kind: SpanKind.CONSUMER,
    startTime: [SECONDS, 123_000_789],
    attributes: {
      'messaging.system': 'kafka',
      'messaging.destination.partition.id': '3',
      'messaging.batch.message_count': 64,
      'freshet.share': 0.25,
      'freshet.whole': 12.0,
      'freshet.yes': true,
      'freshet.models': ['delay@4', 'delay@5'],
      'freshet.text': 'line\nbreak, "quoted", <tag> & ünicode \u2028 end',
      'freshet.large': 9_007_199_254_740_991,
      'freshet.negative': -3,
      'freshet.empty': '',
    },
    links: [
      {
        context: { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), traceFlags: TraceFlags.SAMPLED },
        attributes: { 'messaging.kafka.offset': 1042 },
      },
      {
        context: {
          traceId: 'e'.repeat(32),
          spanId: 'f'.repeat(16),
          traceFlags: TraceFlags.SAMPLED,
          traceState: createTraceState('vendor=x'),
        },
      },
    ],
  })
  batch.setAttributes({ 'freshet.a': 1, 'freshet.b': 2, 'freshet.c': 3 })
  batch.addEvent('freshet.forgotten', {}, [SECONDS, 130_000_000])
  batch.addEvent('freshet.dead_letter', { 'freshet.key': 'k-1' }, [SECONDS, 131_000_500])
  batch.recordException(new RangeError('out of range'), [SECONDS, 132_000_000])
  batch.setStatus({ code: SpanStatusCode.ERROR, message: '1 of 64 rows could not be scored' })
  batch.end([SECONDS, 135_000_790])
  for (const kind of [SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER]) {
    const plain = tracer.startSpan('plain', { kind, startTime: [SECONDS, kind] })
    if (kind === SpanKind.SERVER) plain.setStatus({ code: SpanStatusCode.OK })
    plain.end([SECONDS, kind])
  }
  return exporter.getFinishedSpans().map(withoutStack)
}

/** A stack holds paths of the machine. */
function withoutStack(span: ReadableSpan): ReadableSpan {
  for (const { attributes } of span.events) if (attributes) delete attributes['exception.stacktrace']
  return span
}

function logs(): readonly ReadableLogRecord[] {
  const exporter = new InMemoryLogRecordExporter()
  const provider = new LoggerProvider({
    resource: RESOURCE,
    processors: [new SimpleLogRecordProcessor({ exporter })],
  })
  const logger = provider.getLogger(SCOPE.name, SCOPE.version, { schemaUrl: SCOPE.schemaUrl })
  logger.emit({
    timestamp: [SECONDS, 140_000_001],
    observedTimestamp: [SECONDS, 140_000_002],
    severityNumber: SeverityNumber.WARN,
    severityText: 'WARN',
    body: 'consumer lag is 5210',
    attributes: { 'freshet.rows': 5210, 'freshet.share': 0.5, 'event.name': 'freshet.odd' },
  })
  logger.emit({
    timestamp: [SECONDS, 141_000_000],
    observedTimestamp: [SECONDS, 141_000_000],
    severityNumber: SeverityNumber.INFO,
    severityText: 'INFO',
    body: 'scorer starts',
  })
  return exporter.getFinishedLogRecords()
}

async function metrics(): Promise<ResourceMetrics> {
  const table = new Metrics()
  table.add('freshet.scorer.scored', 1_200)
  table.add('freshet.scorer.dead', 2)
  table.add('freshet.answers', 9, 'cache')
  table.add('freshet.answers', 1, 'default')
  table.set('freshet.sweep.due', 0)
  table.set('freshet.sweep.duration', 1.5)
  for (const seconds of [0.0004, 0.003, 0.003, 0.09, 1_000])
    table.record('freshet.batch.duration', seconds, 'infer')
  const producer = new MetricsProducer(table, SCOPE, () => AggregationTemporality.DELTA)
  const { resourceMetrics } = await producer.collect()
  const at = { startTime: [SECONDS, 0] as HrTime, endTime: [SECONDS + 15, 250_000_000] as HrTime }
  return {
    resource: RESOURCE,
    scopeMetrics: resourceMetrics.scopeMetrics.map(({ scope, metrics }) => ({
      scope,
      metrics: metrics.map(
        (metric) =>
          ({
            ...metric,
            dataPoints: metric.dataPoints.map((point) => ({ ...point, ...at })),
          }) as typeof metric,
      ),
    })),
  }
}
