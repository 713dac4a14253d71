import type { InstanceFacts } from '@freshet/records/facts.ts'
import { expect, test } from 'vitest'
import { capture, facts, fault, findings, instance, shard, withInstances } from './facts.kit.ts'

const grew = (name: string, by: Record<string, number>) =>
  instance(name, {}, { lastMinute: { seconds: 60, by }, lastFiveMinutes: { seconds: 300, by } })
const found = (...instances: InstanceFacts[]) => findings(facts({ instances: withInstances(...instances) }))

test('dead letters are one finding, whoever wrote them, and say where they come from', () => {
  expect(
    found(grew('scorer-1', { 'freshet.scorer.dead': 2 }), grew('scorer-2', { 'freshet.scorer.dead': 3 })),
  ).toMatchObject([
    {
      id: 'dead-letters',
      severity: 'warning',
      title: '5 changes could not be scored',
      details: {
        'Last five minutes': '5 changes that the model cannot score',
        Instances: 'scorer-1, scorer-2',
      },
      measure: { value: 5, unit: 'rows', threshold: 0 },
    },
  ])
  expect(found(grew('poller-1', { 'freshet.poller.dead': 1 }))).toMatchObject([
    { title: '1 change could not be captured' },
  ])
})

test('dead letters of before are nobody’s alarm', () => {
  expect(found(instance('scorer-1', { metrics: { 'freshet.scorer.dead': 900 } }))).toEqual([])
})

test('telemetry that is given up on is told with why; what an instance leaves at its end is not', () => {
  const full = { 'freshet.telemetry.dropped.queue_full': 40, 'freshet.telemetry.dropped.refused': 2 }
  expect(found(grew('gateway-1', full))).toMatchObject([
    {
      id: 'telemetry-dropping',
      details: { Reasons: 'queue_full, refused', Instances: 'gateway-1' },
      measure: { value: 42 },
    },
  ])
  expect(found(grew('gateway-1', { 'freshet.telemetry.dropped.stopped': 7 }))).toEqual([])
})

test('telemetry that Elasticsearch does not take, since it is away, follows from that', () => {
  const away = { ...capture(shard()), fault: fault('ELASTICSEARCH_UNREACHABLE: gone') }
  const instances = withInstances(grew('gateway-1', { 'freshet.telemetry.dropped.queue_full': 40 }))
  expect(findings(facts({ capture: away, instances }))).toMatchObject([
    { id: 'unreachable/elasticsearch' },
    { id: 'telemetry-dropping', causedBy: 'unreachable/elasticsearch' },
  ])
})
