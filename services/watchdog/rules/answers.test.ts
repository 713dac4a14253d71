import { expect, test } from 'vitest'
import { facts, fault, findings, instance, withInstances } from './facts.kit.ts'

/** What two gateways counted in the last minute, together. */
function answered(by: Record<string, number>, worse: Parameters<typeof facts>[0] = {}) {
  const half = {
    seconds: 60,
    by: Object.fromEntries(Object.entries(by).map(([name, count]) => [name, count / 2])),
  }
  const instances = withInstances(
    instance('gateway-1', {}, { lastMinute: half }),
    instance('gateway-2', {}, { lastMinute: half }),
  )
  return findings(facts({ instances, ...worse }))
}

const WELL = { 'freshet.answers.cache': 900, 'freshet.answers.live': 100 }

test('answers that a better source should have given are told as their share of all gateways’', () => {
  const degraded = { ...WELL, 'freshet.answers.snapshot': 200, 'freshet.answers.degraded': 240 }
  expect(answered(degraded)).toMatchObject([
    {
      id: 'fallback-ratio',
      title: '20 % of the answers are degraded',
      details: { 'Last minute': '240 of 1,200 answers', Sources: 'live 100, cache 900, snapshot 200' },
      measure: { value: 0.2, unit: 'share', threshold: 0.05 },
    },
  ])
})

test('fallbacks follow from the Redis that is away', () => {
  const redis = { seenAtMs: 1, value: {}, fault: fault('REDIS_UNREACHABLE: gone') }
  expect(
    answered({ 'freshet.answers.snapshot': 200, 'freshet.answers.degraded': 200 }, { redis }),
  ).toMatchObject([{ id: 'unreachable/redis' }, { id: 'fallback-ratio', causedBy: 'unreachable/redis' }])
})

test('late answers are told', () => {
  expect(answered({ ...WELL, 'freshet.answers.late': 30 })).toMatchObject([
    { id: 'deadline-misses', title: '3 % of the answers come after their deadline' },
  ])
})

test('refused requests are told as a share of all requests', () => {
  expect(answered({ ...WELL, 'freshet.requests.refused': 1_000 })).toMatchObject([
    { id: 'requests-refused', title: expect.stringMatching(/^50 % of the requests are refused/) },
  ])
})

test('a gateway that answers well, or next to nobody, is no finding', () => {
  expect(
    answered({
      ...WELL,
      'freshet.answers.degraded': 10,
      'freshet.answers.late': 4,
      'freshet.requests.refused': 4,
    }),
  ).toEqual([])
  expect(
    answered({ 'freshet.answers.default': 4, 'freshet.answers.degraded': 4, 'freshet.answers.late': 4 }),
  ).toEqual([])
})
