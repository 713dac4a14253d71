import { expect, test } from 'vitest'
import { Metrics } from './metrics.ts'
import { MAX_OPEN_LABELS } from './metrics-table.ts'

test('labels that nobody knows beforehand come and go, and are bounded', () => {
  const metrics = new Metrics()
  metrics.setEach('freshet.drift.mean', new Map([['delay', 3]]))
  metrics.setEach('freshet.drift.missing', new Map([['delay', 0.5]]))
  metrics.setEach('freshet.drift.mean', new Map([['distance', 7]]))
  const drift = Object.entries(metrics.values()).filter(([name]) => name.startsWith('freshet.drift.m'))
  expect(drift).toEqual([
    ['freshet.drift.missing.delay', 0.5],
    ['freshet.drift.mean.distance', 7],
  ])
  metrics.setEach('freshet.drift.mean', new Map(Array.from({ length: 500 }, (_, i) => [`${i}`, i])))
  const many = Object.keys(metrics.values()).filter((name) => name.startsWith('freshet.drift.mean.'))
  expect(many.length).toBe(MAX_OPEN_LABELS)
})
