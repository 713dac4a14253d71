import { expect, test } from 'vitest'
import {
  BOOK,
  capture,
  facts,
  failingInstance,
  fault,
  findings,
  group,
  instance,
  NOW_MS,
  partition,
  shard,
  withInstances,
} from './facts.kit.ts'
import { judge } from './judge.ts'

const ES_AWAY = 'ELASTICSEARCH_UNREACHABLE: connect ECONNREFUSED'

/** @param model of the look at the model: the same where nothing else is said */
function s3(snapshot: string, model: string | null = snapshot) {
  const sight = (error: string | null) => ({
    seenAtMs: 1,
    value: null,
    fault: error === null ? null : fault(error),
  })
  return { snapshot: sight(snapshot), model: sight(model) }
}

test.each([
  ['Elasticsearch', { capture: { seenAtMs: 1, value: null, fault: fault(ES_AWAY) } }, 'elasticsearch'],
  ['Redis', { redis: { seenAtMs: 1, value: null, fault: fault('REDIS_UNREACHABLE: no answer') } }, 'redis'],
  ['S3', s3('DEADLINE: no answer in time'), 's3'],
  ['S3', s3('S3_UNAUTHORIZED: access denied', null), 's3'],
])('%s that does not answer the watchdog is told by its name, with since when', (name, worse, id) => {
  expect(findings(facts(worse))).toMatchObject([
    {
      id: `unreachable/${id}`,
      kind: 'unreachable',
      severity: 'critical',
      title: `${name} does not answer the watchdog`,
      details: { 'The watchdog': 'has had no answer for 20 s', 'Who complains': 'nobody yet' },
    },
  ])
})

test('a dead server is one finding, and those who cannot work for it follow from it', () => {
  const dead = facts({
    redis: { seenAtMs: 1, value: {}, fault: fault('REDIS_UNREACHABLE: no answer') },
    instances: withInstances(
      failingInstance('scorer-1', 'cache', 'REDIS_UNREACHABLE: no answer'),
      failingInstance('gateway-1', 'cache', 'REDIS_UNREACHABLE: no answer'),
    ),
    groups: [group('cache', { partitions: [partition({ lagRecords: 9, lagSeconds: 90, endOffset: 29 })] })],
  })
  expect(findings(dead)).toMatchObject([
    {
      id: 'unreachable/redis',
      title: 'Redis does not answer',
      details: { 'Who complains': 'scorer-1, gateway-1' },
    },
    { id: 'lag/air-cache', causedBy: 'unreachable/redis' },
  ])
})

test('what one instance cannot reach, and the watchdog can, is told of that instance', () => {
  const instances = withInstances(failingInstance('gateway-1', 'snapshot', 'S3_UNREACHABLE: no route'))
  expect(findings(facts({ instances }))).toMatchObject([
    {
      id: 'unreachable/s3',
      title: 'gateway-1 cannot reach S3, the watchdog can',
      details: { Error: 'S3_UNREACHABLE: no route' },
    },
  ])
})

test('what a silent instance said last is no news of a server', () => {
  const gone = {
    ...failingInstance('gateway-2', 'cache', 'REDIS_UNREACHABLE: no answer'),
    heardAtMs: NOW_MS - 300_000,
  }
  expect(findings(facts({ instances: withInstances(gone) })).map(({ kind }) => kind)).not.toContain(
    'unreachable',
  )
})

test('without Kafka that is all that is told, and nobody is judged by what is old', () => {
  const away = facts({
    kafka: { answersSinceMs: null, fault: fault('KAFKA_UNREACHABLE: no broker answers') },
    instances: [instance('scorer-1', { silentSeconds: 500 })],
    groups: [group('infer', { partitions: [partition({ lagSeconds: 500, lagRecords: 1 })] })],
  })
  const { findings: found, blind } = judge(away, [], BOOK)
  expect(found).toMatchObject([{ id: 'unreachable/kafka', title: 'Kafka does not answer', blinds: true }])
  expect(blind).toBe(true)
})

test('when nobody is heard, the watchdog calls itself deaf and nobody silent', () => {
  const instances = [
    instance('scorer-1', { silentSeconds: 300 }),
    instance('watchdog-1', { silentSeconds: 300 }),
  ]
  const { findings: found, blind } = judge(facts({ instances }), [], BOOK)
  expect(found).toMatchObject([{ id: 'unreachable/heartbeats', blinds: true }])
  expect(blind).toBe(true)
})

test('after an outage of Kafka nobody is called silent before they had time to speak', () => {
  const instances = [
    instance('scorer-1', { silentSeconds: 300 }),
    instance('watchdog-1', { silentSeconds: 300 }),
  ]
  const back = facts({ instances, kafka: { answersSinceMs: NOW_MS - 20_000, fault: null } })
  expect(findings(back)).toEqual([])
})

test('a watchdog that hears no cursors says so, and does not call the capture behind', () => {
  const deaf = capture(shard())
  deaf.value = { ...deaf.value!, unreadCursors: 40, unreadSeconds: 90 }
  expect(findings(facts({ capture: deaf }))).toMatchObject([{ id: 'unreachable/cursors' }])
})

test('cursors of a newer release are no fault of Elasticsearch: other shards are judged, and the watchdog asks for an upgrade', () => {
  const newer = { shards: 2, error: 'RECORD_VERSION: .cursors[3]@7 u/1: cursor version 9' }
  const seen = capture(shard({ behind: 4, behindSeconds: 90 }))
  seen.value = { ...seen.value!, newer }
  expect(findings(facts({ capture: seen }))).toMatchObject([
    {
      id: 'unreachable/cursors',
      title: 'the watchdog cannot read the cursors of 2 shards, which a newer release has written',
      details: { Error: newer.error },
      advice: { firstLook: expect.stringContaining('upgrade it') },
    },
    { id: 'capture-behind' },
  ])
})

test('an S3 that answers one of two looks is slow, and not away', () => {
  expect(findings(facts(s3('DEADLINE: no answer in time', null)))).toEqual([])
})

test('what a server says and the watchdog cannot use is told as such, and stops nobody else', () => {
  const late = { groups: [group('cache', { partitions: [partition({ lagRecords: 9, lagSeconds: 90 })] })] }
  const found = findings(facts({ ...s3('RECORD_VERSION: snapshot manifest version 9', null), ...late }))
  expect(found).toMatchObject([
    { id: 'unreachable/s3', title: 'the watchdog cannot use what S3 says' },
    { id: 'lag/air-cache' },
  ])
})
