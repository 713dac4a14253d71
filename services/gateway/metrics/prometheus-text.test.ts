import { Metrics } from '@freshet/telemetry/metrics.ts'
import { METRICS } from '@freshet/telemetry/metrics-table.ts'
import { expect, test } from 'vitest'
import { Durations } from './durations.ts'
import { ProcessFigures } from './process-families.ts'
import { prometheusText } from './prometheus-text.ts'
import { tableFamilies } from './table-families.ts'

/** Names and values of the samples in a text, as Prometheus' own grammar has them. */
function samplesIn(text: string): Map<string, number> {
  const samples = new Map<string, number>()
  for (const line of text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))) {
    const match = /^([a-zA-Z_:][\w:]*(?:\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\n"])*",?)+\})?) (\S+)$/.exec(line)
    expect(match, line).not.toBeNull()
    expect(samples.has(match![1]!), `${line} stands twice`).toBe(false)
    samples.set(match![1]!, Number(match![2]!.replace('Inf', 'Infinity')))
  }
  return samples
}

test('a family is written as Prometheus reads it, odd texts and numbers included', () => {
  const text = prometheusText([
    {
      name: 'a_total',
      kind: 'counter',
      help: 'back\\slash\nand line',
      samples: [{ value: 3 }, { value: Number.POSITIVE_INFINITY, labels: { x: 'quo"te\\\n', y: 'ü' } }],
    },
    { name: 'empty', kind: 'gauge', help: 'not there', samples: [] },
  ])
  expect(text).toBe(
    '# HELP a_total back\\\\slash\\nand line\n# TYPE a_total counter\na_total 3\na_total{x="quo\\"te\\\\\\n",y="ü"} +Inf\n',
  )
})

test('every metric of the table is there under one name of its own, counters at 0 from the start', () => {
  const metrics = new Metrics()
  metrics.add('freshet.answers', 2, 'cache')
  metrics.setEach('freshet.drift.mean', new Map([['odd "column"', 1.5]]))
  const families = tableFamilies(metrics.values())
  expect(new Set(families.map(({ name }) => name)).size).toBe(Object.keys(METRICS).length)
  const samples = samplesIn(prometheusText(families))
  expect(samples.get('freshet_answers_total{source="cache"}')).toBe(2)
  expect(samples.get('freshet_answers_total{source="live"}')).toBe(0)
  expect(samples.get('freshet_answers_degraded_total{reason="cache_late"}')).toBe(0)
  expect(samples.get('freshet_drift_mean{column="odd \\"column\\""}')).toBe(1.5)
  metrics.set('freshet.sweep.duration', 4)
  expect(
    samplesIn(prometheusText(tableFamilies(metrics.values()))).get('freshet_sweep_duration_seconds'),
  ).toBe(4)
})

test('durations add up: buckets never fall, the last one is the count', () => {
  const durations = new Durations()
  const one = { method: 'GET', route: '/v1/scores/{key}', status: 200, source: 'cache' }
  for (const tookMs of [0.1, 0.25, 3, 99, 100, 5_000]) durations.add({ ...one, tookMs })
  durations.add({ ...one, method: 'HEAD', tookMs: 1 })
  durations.add({ ...one, method: 'POST', status: 400, source: 'none', tookMs: 1 })
  for (const method of ['DELETE', 'PUT'])
    durations.add({ method, route: '/v1/*', status: 405, source: 'none', tookMs: 1 })
  const samples = samplesIn(prometheusText(durations.families()))
  expect(samples.get('freshet_requests_total{method="other",route="/v1/*",status="405"}')).toBe(2)
  const bucket = (le: string) =>
    samples.get(
      `freshet_request_duration_seconds_bucket{method="GET",route="/v1/scores/{key}",source="cache",le="${le}"}`,
    )
  expect(['0.00025', '0.0025', '0.005', '0.1', '1', '+Inf'].map(bucket)).toEqual([2, 3, 4, 6, 6, 7])
  const labels = 'method="GET",route="/v1/scores/{key}"'
  expect(samples.get(`freshet_request_duration_seconds_count{${labels},source="cache"}`)).toBe(7)
  expect(samples.get(`freshet_request_duration_seconds_sum{${labels},source="cache"}`)).toBeCloseTo(
    5.20335,
    9,
  )
  expect(samples.get(`freshet_requests_total{${labels},status="200"}`)).toBe(7)
  expect(samples.get('freshet_requests_total{method="POST",route="/v1/scores/{key}",status="400"}')).toBe(1)
})

test('the process tells of itself', async () => {
  using figures = new ProcessFigures()
  await expect
    .poll(async () => (await figures.families()).map(({ name }) => name))
    .toContain('nodejs_eventloop_lag_max_seconds')
  const samples = samplesIn(prometheusText(await figures.families()))
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'process_open_fds',
    'process_max_fds',
  ])
    expect(samples.get(name), name).toBeGreaterThan(0)
  expect(samples.get('process_start_time_seconds')).toBeLessThan(Date.now() / 1_000)
})
