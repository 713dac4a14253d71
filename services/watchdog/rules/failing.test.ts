import { expect, test } from 'vitest'
import {
  facts,
  failingInstance,
  fault,
  findings,
  group,
  instance,
  NOW_MS,
  partition,
  withInstances,
} from './facts.kit.ts'

const LOCALE = 'REDIS_COLLATION: redis does not compare strings byte by byte'

test('every worker that fails is named with its error, what it means for callers and what to do', () => {
  const failing = [
    { worker: 'snapshot of worker 1', error: 'SNAPSHOT_CORRUPT: a page', atMs: 1 },
    { worker: 'snapshot of worker 2', error: 'SNAPSHOT_CORRUPT: a page', atMs: 2 },
    { worker: 'cache', error: LOCALE, atMs: 2 },
  ]
  const gateway = instance('gateway-1', { status: 'failing', failing })
  expect(findings(facts({ instances: withInstances(gateway) }))).toEqual([
    {
      id: 'failing/gateway',
      kind: 'failing',
      severity: 'critical',
      forSeconds: 15,
      title: 'gateway-1 is failing: snapshot, cache',
      details: {
        Service: 'gateway',
        'Error of snapshot (SNAPSHOT_CORRUPT)': 'SNAPSHOT_CORRUPT: a page',
        'Error of cache (REDIS_COLLATION)': LOCALE,
      },
      advice: {
        effect: expect.stringMatching(/Redis; .*from the snapshot, or the default/),
        firstLook: expect.stringMatching(/The file is damaged.* LC_ALL=C/),
      },
    },
  ])
})

test('what crashes again and again is one trouble, and over when a successor stays up', () => {
  const crashes = [300, 200, 100].map((seconds, at) => ({
    ...failingInstance(`scorer-${at}`, 'scorer', 'CONFIG_INVALID: no', {
      startedAtMs: NOW_MS - (seconds + 5) * 1_000,
      atMs: NOW_MS - seconds * 1_000,
    }),
    heardAtMs: NOW_MS - seconds * 1_000,
  }))
  const others = [instance('watchdog-1'), instance('poller-1')]
  expect(findings(facts({ instances: [...others, ...crashes] }))).toMatchObject([
    { id: 'failing/scorer', title: 'scorer-2 is failing' },
  ])
  const healthy = instance('scorer-3', { startedAtMs: NOW_MS - 50_000 })
  expect(findings(facts({ instances: [...others, ...crashes, healthy] }))).toEqual([])
})

test('a group whose worker fails in every scorer lags for that reason', () => {
  const late = [group('cache', { partitions: [partition({ lagSeconds: 90, lagRecords: 3 })] })]
  const one = withInstances(failingInstance('scorer-1', 'cache', LOCALE))
  expect(findings(facts({ instances: one, groups: late }))).toMatchObject([
    { id: 'failing/scorer' },
    { id: 'lag/air-cache', causedBy: 'failing/scorer' },
  ])
  const [, lag] = findings(facts({ instances: [...one, instance('scorer-2')], groups: late }))
  expect(lag).not.toHaveProperty('causedBy')
})

test('a worker that fails since its server is frozen, by another word, follows from the server', () => {
  const instances = withInstances(failingInstance('scorer-1', 'snapshot', 'DEADLINE: no answer in time'))
  const frozen = { seenAtMs: 1, value: null, fault: fault('DEADLINE: no answer from S3 in time') }
  expect(findings(facts({ instances, snapshot: frozen, model: frozen }))).toMatchObject([
    { id: 'unreachable/s3' },
    { id: 'failing/scorer', causedBy: 'unreachable/s3' },
  ])
})

test('one of which a worker failed, and that is not heard any more, is silent like any other', () => {
  const failing = [{ worker: 'model', error: 'DEADLINE: the model took too long', atMs: 1 }]
  const gone = instance('gateway-1', { status: 'failing', failing, silentSeconds: 40 })
  const ids = findings(facts({ instances: withInstances(gone) })).map(({ id }) => id)
  expect(ids).toContain('silent/gateway-1')
})
