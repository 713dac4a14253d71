import type { InstanceFacts } from '@freshet/records/facts.ts'
import { describe, expect, test } from 'vitest'
import {
  BOOK,
  capture,
  facts,
  failingInstance,
  findings,
  group,
  instance,
  NOW_MS,
  partition,
  shard,
  withInstances,
} from './facts.kit.ts'
import { judge } from './judge.ts'

const told = (...instances: InstanceFacts[]) =>
  findings(facts({ instances: withInstances(...instances) })).map(({ title }) => title)

test('an instance without a heartbeat for too long is silent, unless its last word was that it stops', () => {
  expect(
    told(
      instance('scorer-2', { silentSeconds: 32 }),
      instance('poller-2', { silentSeconds: 29 }),
      instance('gateway-2', { silentSeconds: 900, status: 'stopping' }),
    ),
  ).toEqual(['scorer-2 has been silent for 32 s'])
})

test('an instance that died is no finding once another one has taken its place', () => {
  const successor = instance('scorer-2', { startedAtMs: NOW_MS - 50_000 })
  expect(told(instance('scorer-1', { silentSeconds: 100 }), successor)).toEqual([])
})

describe('after an outage of Kafka silence is counted anew', () => {
  function after(answersForSeconds: number, ...instances: InstanceFacts[]) {
    const kafka = { answersSinceMs: NOW_MS - answersForSeconds * 1_000, fault: null }
    const { findings, notKnown } = judge(facts({ kafka, instances: withInstances(...instances) }), [], BOOK)
    return {
      found: findings.map(({ id }) => id),
      notKnown: [...notKnown].filter((id) => id.startsWith('silent/')),
    }
  }
  const dead = instance('scorer-1', { silentSeconds: 100 })

  test('until it is long enough nobody knows whether who was silent still is, and its alert stays', () => {
    expect(after(20, dead)).toEqual({ found: [], notKnown: ['silent/scorer-1'] })
    expect(after(40, dead)).toEqual({ found: ['silent/scorer-1'], notKnown: [] })
  })

  test('who is heard again, has a successor, or said that it stops, is known to be fine', () => {
    const known = { found: [], notKnown: [] }
    expect(after(20, instance('scorer-1', { silentSeconds: 1 }))).toEqual(known)
    expect(after(20, dead, instance('scorer-2', { startedAtMs: NOW_MS - 50_000 }))).toEqual(known)
    expect(after(20, instance('scorer-1', { silentSeconds: 100, status: 'stopping' }))).toEqual(known)
  })
})

test('one successor does not stand for two that died, and one that ran before is no successor', () => {
  expect(
    told(
      instance('scorer-1', { silentSeconds: 100 }),
      instance('scorer-2', { silentSeconds: 90 }),
      instance('scorer-3', { startedAtMs: NOW_MS - 50_000 }),
      instance('scorer-4', { startedAtMs: 0 }),
    ),
  ).toEqual(['scorer-2 has been silent for 90 s'])
})

test('what stands still for the last one of a service follows from its silence', () => {
  const frozen = facts({
    instances: withInstances(
      instance('scorer-1', { silentSeconds: 90 }),
      instance('poller-1', { silentSeconds: 80 }),
    ),
    groups: [
      group('infer', { partitions: [partition({ lagRecords: 4, lagSeconds: 85, standsSeconds: 85 })] }),
    ],
    capture: capture(shard({ checkpoint: 199, behind: 100, behindSeconds: 75, standsSeconds: 75 })),
  })
  expect(findings(frozen)).toMatchObject([
    { id: 'silent/scorer-1', advice: { effect: expect.stringContaining('nothing new is scored') } },
    { id: 'silent/poller-1', measure: { value: 80, unit: 's', threshold: 30 } },
    { id: 'capture-behind', causedBy: 'silent/poller-1' },
    { id: 'lag/air-infer', causedBy: 'silent/scorer-1' },
  ])
})

test('while another one lives, what lags has a reason of its own', () => {
  const half = facts({
    instances: withInstances(instance('scorer-1', { silentSeconds: 90 }), instance('scorer-2')),
    groups: [group('infer', { partitions: [partition({ lagRecords: 4, lagSeconds: 85 })] })],
  })
  const found = findings(half)
  expect(found.map(({ id }) => id)).toEqual(['silent/scorer-1', 'lag/air-infer'])
  expect(found[1]).not.toHaveProperty('causedBy')
})

test('a failing instance is told as failing, also after it has fallen silent', () => {
  for (const silentSeconds of [1, 300]) {
    const crashed = failingInstance('scorer-1', 'scorer', 'CONFIG_INVALID: redis.cluster')
    const instances = withInstances({ ...crashed, heardAtMs: NOW_MS - silentSeconds * 1_000 })
    expect(findings(facts({ instances }))).toMatchObject([
      {
        id: 'failing/scorer',
        title: 'scorer-1 is failing',
        details: { Error: 'CONFIG_INVALID: redis.cluster' },
      },
    ])
  }
})
