import { FreshetError } from '@freshet/errors/errors.ts'
import type { Heartbeat } from '@freshet/records/heartbeat.ts'
import { expect, test } from 'vitest'
import { type Facts, type GroupLag, type Instance, judge } from './judge.ts'

const NOW_MS = 1_000_000
const THRESHOLDS = { lagSeconds: 60, silentSeconds: 30 }

function instance(name: string, silentSeconds: number, heartbeat: Partial<Heartbeat> = {}): Instance {
  const atMs = NOW_MS - silentSeconds * 1000
  return {
    heardAtMs: atMs,
    heartbeat: {
      version: 1,
      service: name.split('-')[0]!,
      instance: name,
      startedAtMs: 0,
      atMs,
      status: 'running',
      progress: {},
      metrics: {},
      model: null,
      lastError: null,
      lastErrorAtMs: null,
      ...heartbeat,
    },
  }
}

const watchdog = instance('watchdog-1', 0)

function group(groupId: string, lagSeconds: number, committedOffset: number | null = 10): GroupLag {
  return {
    groupId,
    topic: 'air.changes',
    partitions: [
      { partition: 0, committedOffset: 20, endOffset: 20, lagRecords: 0, lagSeconds: 0 },
      { partition: 1, committedOffset, endOffset: 5_220, lagRecords: 5_210, lagSeconds },
    ],
  }
}

function reachable(seen: Partial<Extract<Facts, { kafka: 'reachable' }>>): Facts {
  return {
    kafka: 'reachable',
    nowMs: NOW_MS,
    answersSinceMs: 0,
    groups: [],
    instances: [watchdog],
    recentDeadRows: new Map(),
    ...seen,
  }
}

const titles = (facts: Facts) => judge(facts, THRESHOLDS).findings.map(({ title }) => title)

test('a group that is further behind than the threshold is named, with how far and where', () => {
  const { findings } = judge(
    reachable({ groups: [group('air-infer', 300), group('air-cache', 60)] }),
    THRESHOLDS,
  )
  expect(findings).toMatchObject([
    {
      id: 'lag/air-infer',
      title: 'air-infer is 5 min behind',
      details: { Topic: 'air.changes', Behind: '5 min, 5,210 records', Partitions: '1 of 2: 1' },
    },
  ])
})

test('an instance without a heartbeat for too long is silent, unless its last word was that it stops', () => {
  const instances = [
    watchdog,
    instance('scorer-1', 31),
    instance('poller-1', 29),
    instance('gateway-1', 900, { status: 'stopping' }),
  ]
  expect(titles(reachable({ instances }))).toEqual(['scorer-1 has been silent for 31 s'])
})

test('an instance that died is no finding once another one has taken its place', () => {
  const instances = [
    watchdog,
    instance('scorer-1', 100),
    instance('scorer-2', 1, { startedAtMs: NOW_MS - 50_000 }),
  ]
  expect(titles(reachable({ instances }))).toEqual([])
})

test('one successor does not stand for two that died, and one that ran before is no successor', () => {
  const instances = [
    watchdog,
    instance('scorer-1', 100),
    instance('scorer-2', 90),
    instance('scorer-3', 1, { startedAtMs: NOW_MS - 50_000 }),
    instance('scorer-4', 1, { startedAtMs: 0 }),
  ]
  expect(titles(reachable({ instances }))).toEqual(['scorer-2 has been silent for 90 s'])
})

test('after an outage of Kafka nobody is called silent before they had time to speak', () => {
  const instances = [instance('scorer-1', 300), instance('watchdog-1', 300)]
  expect(titles(reachable({ instances, answersSinceMs: NOW_MS - 20_000 }))).toEqual([])
})

test('when nobody is heard, the watchdog calls itself deaf and nobody silent', () => {
  const { findings, blind } = judge(
    reachable({ instances: [instance('scorer-1', 300), instance('watchdog-1', 300)] }),
    THRESHOLDS,
  )
  expect(findings.map(({ id }) => id)).toEqual(['heartbeats'])
  expect(blind).toBe(true)
})

const crashed = { status: 'failing', lastError: 'MODEL_HASH: other bytes' } as const

test('a failing instance is named with its error, also after it has fallen silent', () => {
  for (const silentSeconds of [1, 300]) {
    const instances = [watchdog, instance('scorer-1', silentSeconds, crashed)]
    expect(judge(reachable({ instances }), THRESHOLDS).findings).toMatchObject([
      { id: 'failing/scorer', title: 'scorer-1 is failing', details: { Error: 'MODEL_HASH: other bytes' } },
    ])
  }
})

test('every worker that fails is named with its error, what it means for callers and what to do', () => {
  const failing = [
    { worker: 'cache', error: 'REDIS_UNREACHABLE: no answer', atMs: 1 },
    { worker: 'model of worker 1', error: 'MODEL_HASH: other bytes', atMs: 2 },
    { worker: 'model of worker 2', error: 'MODEL_HASH: other bytes', atMs: 2 },
  ]
  const gateway = instance('gateway-1', 1, { status: 'failing', failing, lastError: failing[2]!.error })
  expect(judge(reachable({ instances: [watchdog, gateway] }), THRESHOLDS).findings).toEqual([
    {
      id: 'failing/gateway',
      kind: 'failing',
      title: 'gateway-1 is failing: cache, model',
      details: {
        Service: 'gateway',
        'Error of cache (REDIS_UNREACHABLE)': 'REDIS_UNREACHABLE: no answer',
        'Error of model (MODEL_HASH)': 'MODEL_HASH: other bytes',
      },
      advice: {
        effect: expect.stringMatching(
          /from the snapshot, or the default.*; stored scores are served as ever/,
        ),
        firstLook: expect.stringMatching(/^Check redis\.url.* model\.onnx is not the file/),
      },
    },
  ])
})

test('what crashes again and again is one trouble, and over when a successor stays up', () => {
  const crashes = [300, 200, 100].map((seconds, at) =>
    instance(`scorer-${at}`, seconds, { ...crashed, startedAtMs: NOW_MS - (seconds + 5) * 1000 }),
  )
  const { findings } = judge(reachable({ instances: [watchdog, ...crashes] }), THRESHOLDS)
  expect(findings).toMatchObject([{ id: 'failing/scorer', title: 'scorer-2 is failing' }])
  const healthy = instance('scorer-3', 1, { startedAtMs: NOW_MS - 50_000 })
  expect(titles(reachable({ instances: [watchdog, ...crashes, healthy] }))).toEqual([])
})

test('dead letters are one finding, whoever wrote them', () => {
  const recentDeadRows = new Map([
    ['scorer-1', 2],
    ['scorer-2', 3],
  ])
  expect(titles(reachable({ recentDeadRows }))).toEqual(['5 changes could not be scored'])
})

test('verify found missing scores: told with its figures until a later look finds none', () => {
  const found = (missing: number, silentSeconds = 1) =>
    instance('verify-1', silentSeconds, {
      metrics: {
        'freshet.verify.ended': 1,
        'freshet.verify.missing': missing,
        'freshet.verify.live': 48_000,
      },
    })
  expect(judge(reachable({ instances: [watchdog, found(1_200)] }), THRESHOLDS).findings).toMatchObject([
    {
      id: 'incomplete',
      kind: 'incomplete',
      title: '1,200 scores are missing, stale or extra',
      details: { Missing: '1,200', 'Living documents': '48,000', 'Found by': 'verify-1' },
    },
  ])
  expect(titles(reachable({ instances: [watchdog, found(0)] }))).toEqual([])
})

test('a verification that has not come to its end, or was stopped, says nothing', () => {
  const metrics = { 'freshet.verify.ended': 0, 'freshet.verify.missing': 3 }
  const stopped = { metrics: { ...metrics, 'freshet.verify.ended': 4 }, status: 'stopping' } as const
  for (const heartbeat of [{ metrics }, stopped])
    expect(titles(reachable({ instances: [watchdog, instance('verify-1', 1, heartbeat)] }))).toEqual([])
})

test('Kafka being away is the finding, and nothing else is judged', () => {
  const error = new FreshetError('KAFKA_UNREACHABLE', 'no broker answers')
  expect(judge({ kafka: 'unreachable', nowMs: NOW_MS, error }, THRESHOLDS)).toMatchObject({
    findings: [{ id: 'kafka', details: { Error: 'KAFKA_UNREACHABLE: no broker answers' } }],
    blind: true,
  })
})
