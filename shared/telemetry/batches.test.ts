import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Batches } from './batches.ts'
import { Metrics } from './metrics.ts'
import { inSpan, traceContextOf } from './spans.ts'

function world(perSecond: number) {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  onTestFinished(() => context.disable())
  const exporter = new InMemorySpanExporter()
  const metrics = new Metrics()
  const spanProcessors = [new SimpleSpanProcessor(exporter)]
  const tracer = new BasicTracerProvider({ spanProcessors }).getTracer('test')
  const batches = new Batches({ tracer, metrics }, 'infer', perSecond)
  const batch = () =>
    batches.run({ name: 'batch' }, async (span) => {
      await inSpan(tracer, { name: 'step' }, async () => {})
      return traceContextOf(span)
    })
  return { exporter, metrics, batch, names: () => exporter.getFinishedSpans().map(({ name }) => name) }
}

function durationsOf(metrics: Metrics): number {
  const [[, { counts }]] = [...metrics.histograms()] as unknown as [[string, { counts: Float64Array }]]
  return counts.reduce((all, count) => all + count, 0)
}

test('so many batches a second leave spans, their steps too; all of them are counted with how long they took', async () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(5_000)
  onTestFinished(() => now.mockRestore())
  const { exporter, metrics, batch, names } = world(2)
  const left = [await batch(), await batch(), await batch(), await batch(), await batch()]
  expect(left.map((trace) => trace !== null)).toEqual([true, true, false, false, false])
  expect(names()).toEqual(['step', 'batch', 'step', 'batch'])
  expect(exporter.getFinishedSpans()[1]!.attributes).toEqual({ 'freshet.stage': 'infer' })
  expect(metrics.values()['freshet.batches.untraced']).toBe(3)
  expect(durationsOf(metrics)).toBe(5)
  now.mockReturnValue(6_000)
  expect(await batch()).not.toBeNull()
})

test('a batch without a span that fails is counted, and fails on', async () => {
  const metrics = new Metrics()
  const batches = new Batches({ tracer: new BasicTracerProvider().getTracer('test'), metrics }, 'cache', 0)
  const failing = batches.run({ name: 'batch' }, () => Promise.reject(new Error('Redis is away')))
  await expect(failing).rejects.toThrow('Redis is away')
  expect(durationsOf(metrics)).toBe(1)
})
