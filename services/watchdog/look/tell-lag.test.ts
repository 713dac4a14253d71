import type { Facts } from '@freshet/records/facts.ts'
import { Metrics } from '@freshet/telemetry/metrics.ts'
import { expect, test } from 'vitest'
import { tellLag } from './tell-lag.ts'

const partition = { partition: 0, committedOffset: 1, endOffset: 2, standsSeconds: 0 }
const groups: Facts['groups'] = [
  {
    ...{ worker: 'infer', groupId: 'air-infer', topic: 'air.changes', members: 1 },
    partitions: [
      { ...partition, lagRecords: 3, lagSeconds: 1.5 },
      { ...partition, partition: 1, lagRecords: 4, lagSeconds: 0.5 },
    ],
  },
]

test('a group is as late as its latest partition, and what waits adds up', () => {
  const metrics = new Metrics()
  const lag = () => Object.entries(metrics.values()).filter(([name]) => name.startsWith('freshet.lag.'))
  tellLag(metrics, { kafka: { answersSinceMs: 1, fault: null }, groups })
  expect(lag()).toEqual([
    ['freshet.lag.time.air-infer', 1.5],
    ['freshet.lag.messages.air-infer', 7],
  ])
  tellLag(metrics, {
    kafka: { answersSinceMs: null, fault: { sinceMs: 1, error: 'KAFKA_UNREACHABLE: away' } },
    groups,
  })
  expect(lag()).toEqual([])
})
