import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { expect, onTestFinished, test, vi } from 'vitest'
import { batchDurations } from './batch-durations.ts'
import { BatchSpans } from './batch-spans.ts'
import { Metrics } from './metrics.ts'
import { inSpan, traceContextOf } from './spans.ts'

function world(perSecond: number) {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  onTestFinished(() => context.disable())
  const exporter = new InMemorySpanExporter()
  const metrics = new Metrics()
  const spanProcessors = [batchDurations(metrics), new SimpleSpanProcessor(exporter)]
  const tracer = new BasicTracerProvider({ spanProcessors }).getTracer('test')
  const spans = new BatchSpans({ tracer, metrics }, perSecond)
  const shape = { name: 'batch', attributes: { 'freshet.stage': 'infer' } }
  const batch = () =>
    spans.run('infer', shape, async (span) => {
      await inSpan(tracer, { name: 'step' }, async () => {})
      return traceContextOf(span)
    })
  return { metrics, batch, names: () => exporter.getFinishedSpans().map(({ name }) => name) }
}

function durationsOf(metrics: Metrics): number {
  const [[, { counts }]] = [...metrics.histograms()] as unknown as [[string, { counts: Float64Array }]]
  return counts.reduce((all, count) => all + count, 0)
}

test('so many batches a second leave spans, their steps too; all of them are counted with how long they took', async () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(5_000)
  onTestFinished(() => now.mockRestore())
  const { metrics, batch, names } = world(2)
  const left = [await batch(), await batch(), await batch(), await batch(), await batch()]
  expect(left.map((trace) => trace !== null)).toEqual([true, true, false, false, false])
  expect(names()).toEqual(['step', 'batch', 'step', 'batch'])
  expect(metrics.values()['freshet.batches.untraced']).toBe(3)
  expect(durationsOf(metrics)).toBe(5)
  now.mockReturnValue(6_000)
  expect(await batch()).not.toBeNull()
})

test('a batch without a span that fails is counted, and fails on', async () => {
  const { metrics } = world(1)
  const spans = new BatchSpans({ tracer: new BasicTracerProvider().getTracer('test'), metrics }, 0)
  const failing = spans.run('cache', { name: 'batch' }, () => Promise.reject(new Error('Redis is away')))
  await expect(failing).rejects.toThrow('Redis is away')
  expect(durationsOf(metrics)).toBe(1)
})
