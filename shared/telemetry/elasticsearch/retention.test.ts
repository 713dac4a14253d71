import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { dayOf } from './bulk-document.ts'
import { expiredIndices } from './retention.ts'

const DAY_MS = 86_400_000
const retention = { tracesDays: 7, logsDays: 30, metricsDays: 14 }
const telemetry = { namespace: 'default', retention }

test('a day is deleted when its last moment is older than its signal is kept', () => {
  const nowMs = Date.UTC(2026, 10, 24, 12)
  const names = ['traces', 'logs', 'metrics'].flatMap((type) =>
    Array.from({ length: 60 }, (_, days) => `${type}-freshet.otel-default-${dayOf(nowMs - days * DAY_MS)}`),
  )
  const expired = expiredIndices(names, telemetry, nowMs)
  const youngest = (type: string) =>
    expired
      .filter((name) => name.startsWith(type))
      .sort()
      .at(-1)
  expect(youngest('traces')).toBe('traces-freshet.otel-default-2026.11.16')
  expect(youngest('logs')).toBe('logs-freshet.otel-default-2026.10.24')
  expect(youngest('metrics')).toBe('metrics-freshet.otel-default-2026.11.09')
  expect(expired.length).toBe(180 - 8 - 31 - 15)
})

test('indices of others, of other namespaces and without a day are left alone', () => {
  const names = [
    'traces-generic.otel-default-2001.01.01',
    'traces-freshet.otel-other-2001.01.01',
    'traces-freshet.otel-default',
    'traces-freshet.otel-default-2001.01.01-copy',
    'logs-freshet.otel-default-last.week',
  ]
  expect(expiredIndices(names, telemetry, Date.UTC(2026, 0, 1))).toEqual([])
})

test('no document is deleted before its time, whenever it was written', () => {
  const time = fc.integer({ min: 0, max: 4_000_000_000_000 })
  fc.assert(
    fc.property(time, fc.integer({ min: 0, max: 100 * DAY_MS }), (atMs, laterMs) => {
      const name = `traces-freshet.otel-default-${dayOf(atMs)}`
      const isGone = expiredIndices([name], telemetry, atMs + laterMs).length > 0
      if (laterMs < 7 * DAY_MS) expect(isGone).toBe(false)
      if (laterMs >= 8 * DAY_MS) expect(isGone).toBe(true)
    }),
  )
})
