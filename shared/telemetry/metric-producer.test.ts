import { AggregationTemporality, type MetricData } from '@opentelemetry/sdk-metrics'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { MetricsProducer } from './metric-producer.ts'
import { Metrics } from './metrics.ts'

async function collect(producer: MetricsProducer): Promise<readonly MetricData[]> {
  return (await producer.collect()).resourceMetrics.scopeMetrics[0]!.metrics
}

const valuesOf = (metrics: readonly MetricData[], name: string) =>
  metrics.find(({ descriptor }) => descriptor.name === name)?.dataPoints.map(({ value }) => value)

const producerOf = (metrics: Metrics, temporality: AggregationTemporality) =>
  new MetricsProducer(metrics, { name: 'test' }, () => temporality)

test('what a process never counts it does not tell, and what others count they tell themselves', async () => {
  const metrics = new Metrics()
  metrics.addCounts({ 'freshet.answers.cache': 5 })
  metrics.set('freshet.sweep.due', 0)
  const told = await collect(producerOf(metrics, AggregationTemporality.DELTA))
  expect(told.map(({ descriptor }) => descriptor.name)).toEqual(['freshet.sweep.due'])
  expect(metrics.values()['freshet.answers.cache']).toBe(5)
})

test('a label is an attribute, also one that nobody knew beforehand and that holds dots', async () => {
  const metrics = new Metrics()
  metrics.add('freshet.answers', 2, 'cache')
  metrics.add('freshet.answers.degraded', 1, 'cache_late')
  metrics.setEach('freshet.drift.mean', new Map([['a.b', 0.5]]))
  const told = await collect(producerOf(metrics, AggregationTemporality.DELTA))
  const points = told.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints[0]!.attributes])
  expect(Object.fromEntries(points)).toEqual({
    'freshet.answers': { 'freshet.answer.source': 'cache' },
    'freshet.answers.degraded': { 'freshet.answer.reason': 'cache_late' },
    'freshet.drift.mean': { 'freshet.column': 'a.b' },
  })
})

/* Whatever is counted between whatever looks: what is told adds up to what was counted, and cumulatively it is that. */
test('nothing is told twice and nothing is left out', async () => {
  const seconds = fc.oneof(fc.constantFrom(0, 0.001, 300), fc.double({ min: 0, max: 1_000, noNaN: true }))
  const act = fc.oneof(
    fc.record({ count: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ seconds }),
    fc.constant('look' as const),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 60 }), async (acts) => {
      const metrics = new Metrics()
      const [delta, cumulative] = [AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE].map(
        (temporality) => producerOf(metrics, temporality),
      ) as [MetricsProducer, MetricsProducer]
      let [counted, recorded, toldCount, toldValues] = [0, 0, 0, 0]
      let lastTold: readonly MetricData[] = []
      for (const each of [...acts, 'look' as const]) {
        if (each === 'look') {
          const told = await collect(delta)
          toldCount += (valuesOf(told, 'freshet.scorer.scored')?.[0] as number | undefined) ?? 0
          const histogram = valuesOf(told, 'freshet.batch.duration')?.[0] as { count: number } | undefined
          toldValues += histogram?.count ?? 0
          lastTold = await collect(cumulative)
        } else if ('count' in each) {
          metrics.add('freshet.scorer.scored', each.count)
          counted += each.count
        } else {
          metrics.record('freshet.batch.duration', each.seconds, 'infer')
          recorded++
        }
      }
      expect([toldCount, toldValues]).toEqual([counted, recorded])
      if (counted > 0) expect(valuesOf(lastTold, 'freshet.scorer.scored')).toEqual([counted])
      if (recorded > 0)
        expect(valuesOf(lastTold, 'freshet.batch.duration')).toEqual([
          expect.objectContaining({ count: recorded }),
        ])
    }),
    { numRuns: 50 },
  )
})
