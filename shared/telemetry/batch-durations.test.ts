import { context, trace } from '@opentelemetry/api'
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base'
import { expect, test } from 'vitest'
import { batchDurations } from './batch-durations.ts'
import { Metrics } from './metrics.ts'

test('a batch is counted once, whatever happened within it, and what is no batch is not counted', () => {
  const metrics = new Metrics()
  const tracer = new BasicTracerProvider({ spanProcessors: [batchDurations(metrics)] }).getTracer('test')
  const spanOf = (stage: string, parent = context.active()) =>
    tracer.startSpan(
      'work',
      { startTime: [1_764_100_000, 0], attributes: { 'freshet.stage': stage } },
      parent,
    )
  const batch = spanOf('infer')
  spanOf('infer', trace.setSpan(context.active(), batch)).end()
  batch.end([1_764_100_000, 30_000_000])
  spanOf('sweep').end()
  const [[key, { counts, sum }], ...others] = [...metrics.histograms()] as [
    [string, { counts: Float64Array; sum: number }],
  ]
  expect(others).toEqual([])
  expect(key).toBe('freshet.batch.duration.infer')
  expect(sum).toBeCloseTo(0.03, 9)
  expect(counts.reduce((all, count) => all + count, 0)).toBe(1)
})
