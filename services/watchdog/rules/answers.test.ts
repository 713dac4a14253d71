import { expect, test } from 'vitest'
import { facts, fault, findings, instance, withInstances } from './facts.kit.ts'

/** What two gateways counted in the last minute, together. */
function answered(
  by: Record<string, number>,
  worse: Parameters<typeof facts>[0] = {},
  perSecond: Record<string, number> = {},
) {
  const half = {
    seconds: 60,
    by: Object.fromEntries(Object.entries(by).map(([name, count]) => [name, count / 2])),
  }
  const instances = withInstances(
    instance('gateway-1', {}, { lastMinute: half, perSecond }),
    instance('gateway-2', {}, { lastMinute: half, perSecond }),
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

test('why answers are degraded is told, the most frequent reasons first, and a few of them', () => {
  const reasons = {
    cache_late: 2_100,
    overloaded: 12,
    cache_behind: 40,
    deadline: 2,
    live_late: 2,
    live_failed: 4,
  }
  const by = Object.entries(reasons).map(([reason, count]) => [`freshet.answers.degraded.${reason}`, count])
  expect(answered({ ...WELL, 'freshet.answers.snapshot': 2_200, ...Object.fromEntries(by) })).toMatchObject([
    {
      id: 'fallback-ratio',
      details: {
        'Last minute': '2,160 of 3,200 answers',
        Why: 'cache_late 2,100, cache_behind 40, overloaded 12, live_failed 4',
      },
    },
  ])
})

test('what a gateway counted last before it stood still is no finding: that it is silent is', () => {
  const bad = { seconds: 60, by: { ...WELL, 'freshet.answers.degraded': 500, 'freshet.answers.late': 500 } }
  const instances = withInstances(instance('gateway-1', { silentSeconds: 60 }, { lastMinute: bad }))
  expect(findings(facts({ instances })).map(({ id }) => id)).toEqual(['silent/gateway-1'])
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

const BAD_START = {
  ...WELL,
  'freshet.answers.degraded': 60,
  'freshet.answers.late': 60,
  'freshet.requests.received': 1_000,
  'freshet.requests.refused': 60,
}

test('what was bad for a moment, as when a gateway begins, is no finding once the answers are good', () => {
  const worst = { 'freshet.answers.cache': 8, 'freshet.answers.late': 2, 'freshet.answers.degraded': 2 }
  const good = { 'freshet.answers.cache': 10, 'freshet.requests.received': 10 }
  expect(answered(BAD_START, {}, good)).toEqual([])
  expect(answered(BAD_START, {}, { ...worst, 'freshet.requests.received': 10 }).map(({ id }) => id)).toEqual([
    'fallback-ratio',
    'deadline-misses',
  ])
})

test('where hardly anybody asks now, the minute alone speaks', () => {
  const ids = answered(BAD_START, {}, { 'freshet.answers.cache': 0.5 }).map(({ id }) => id)
  expect(ids).toEqual(['fallback-ratio', 'deadline-misses', 'requests-refused'])
})

test('a late answer or two of a few are an accident', () => {
  expect(answered({ 'freshet.answers.cache': 30, 'freshet.answers.late': 2 })).toEqual([])
})

test('refused requests are told as a share of all requests', () => {
  const refused = { 'freshet.requests.received': 20_000, 'freshet.requests.refused': 10_000 }
  expect(answered({ ...WELL, ...refused })).toMatchObject([
    {
      id: 'requests-refused',
      title: expect.stringMatching(/^50 % of the requests are refused/),
      details: { 'Last minute': '10,000 of 20,000 requests' },
    },
  ])
})

test('requests count as requests, also where each of them asks for a thousand answers', () => {
  const many = { 'freshet.answers.cache': 100_000, 'freshet.requests.received': 200 }
  expect(answered({ ...many, 'freshet.requests.refused': 100 })).toMatchObject([
    { id: 'requests-refused', measure: { value: 0.5 } },
  ])
})

test('a gateway that answers well, or next to nobody, is no finding', () => {
  expect(
    answered({
      ...WELL,
      'freshet.answers.degraded': 10,
      'freshet.answers.late': 4,
      'freshet.requests.received': 1_000,
      'freshet.requests.refused': 4,
    }),
  ).toEqual([])
  expect(
    answered({ 'freshet.answers.default': 4, 'freshet.answers.degraded': 4, 'freshet.answers.late': 4 }),
  ).toEqual([])
})
