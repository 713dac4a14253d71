import { FreshetError } from '@freshet/errors/errors.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { expect, test } from 'vitest'
import { commitSpans } from './commit-spans.ts'

test('a commit leaves a span of its own time, and one that failed its code', () => {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  const telemetry = quietTelemetry({ tracer: provider.getTracer('test') })
  const tell = commitSpans({ telemetry }, { topic: 'air.changes', groupId: 'air-infer' })
  tell({ beganAtMs: 2_000, endedAtMs: 2_500, error: undefined })
  tell({ beganAtMs: 3_000, endedAtMs: 3_001, error: new FreshetError('KAFKA_STALE', 'taken back') })
  const attributes = { 'messaging.operation.type': 'settle', 'messaging.consumer.group.name': 'air-infer' }
  expect(exporter.getFinishedSpans()).toMatchObject([
    { name: 'commit air.changes', startTime: [2, 0], endTime: [2, 5e8], attributes },
    { name: 'commit air.changes', attributes: { ...attributes, 'error.type': 'KAFKA_STALE' } },
  ])
})
