import type { ListedInstance } from '@freshet/watchdog/page/view/listed-instances.ts'
import { expect, test } from 'vitest'
import { describeStatus, type Status } from './describe-status.ts'

const AT_MS = 1_764_000_000_000

const poller = (changes: Partial<ListedInstance> = {}): ListedInstance => ({
  version: 1,
  service: 'poller',
  instance: 'poller-box-1',
  startedAtMs: AT_MS - 60_000,
  atMs: AT_MS - 2_000,
  status: 'running',
  silentSeconds: 2,
  progress: {},
  metrics: {},
  model: null,
  lastError: null,
  lastErrorAtMs: null,
  ...changes,
})

function describe(instance: ListedInstance, mode: Status['mode'] = 'seqNo'): string[] {
  const status = { pipeline: 'air', mode, atMs: AT_MS, instances: [instance], unreadable: [], groups: [] }
  const text = describeStatus(status)
  return text.split('\n').slice(1, -1)
}

test('a poller tells how far it is behind Elasticsearch, and when it last found all deletes', () => {
  const metrics = {
    'freshet.poller.shards': 3,
    'freshet.poller.behind': 1,
    'freshet.sweep.swept_at': AT_MS / 1_000 - 150,
    'freshet.sweep.due': 2,
  }
  expect(describe(poller({ metrics, progress: { capture: 7, sweep: 9 } }))).toEqual([
    '  poller-box-1       running   heard 2 s ago  capture 7  sweep 9',
    '    3 shards, 1 document behind Elasticsearch',
    '    deletes: last final sweep 2 min ago, 2 shards due',
  ])
})

test('what keeps it from capturing is told with its number', () => {
  const metrics = {
    'freshet.poller.shards': 1,
    'freshet.poller.unreadable': 2,
    'freshet.poller.closed': 3,
    'freshet.poller.gone': 4,
    'freshet.poller.refused': 5,
  }
  expect(describe(poller({ metrics })).slice(1)).toEqual([
    '    1 shard, 0 documents behind Elasticsearch; 2 shards cannot be read; 3 indices closed; 4 indices gone; 5 indices cannot be captured',
    '    deletes: no final sweep yet',
  ])
})

test('a watchdog says how many messages nobody has', () => {
  const metrics = { 'freshet.alerts.given_up': 3 }
  const watchdog = { service: 'watchdog', instance: 'watchdog-1' }
  expect(describe(poller({ ...watchdog, metrics })).slice(1)).toEqual([
    '    3 messages reached nobody: see its log',
  ])
  expect(describe(poller(watchdog)).slice(1)).toEqual([])
})

test('where two of its workers fail, neither hides the other', () => {
  const failing = [
    { worker: 'cache', error: 'REDIS_UNREACHABLE: no answer', atMs: AT_MS - 9_000 },
    { worker: 'model', error: 'MODEL_HASH: other bytes', atMs: AT_MS - 5_000 },
  ]
  const gateway = { service: 'gateway', instance: 'gateway-box-1', status: 'failing', failing } as const
  expect(describe(poller({ ...gateway, lastError: failing[1]!.error })).slice(1)).toEqual([
    '    cache fails, 9 s ago: REDIS_UNREACHABLE: no answer',
    '    model fails, 5 s ago: MODEL_HASH: other bytes',
  ])
})

test('one that has nothing to do says so, and leaves no blanks behind', () => {
  expect(describe(poller())).toEqual([
    '  poller-box-1       running   heard 2 s ago',
    '    0 shards, 0 documents behind Elasticsearch',
  ])
})

test('one that was started in place of others says how the last of them ended, for an hour', () => {
  const replaces = (...instances: string[]) => ({ replaces: { instances, ended: 'SIGKILL' } })
  const told = (startedSecondsAgo: number, ...instances: string[]) =>
    describe(poller({ startedAtMs: AT_MS - startedSecondsAgo * 1_000, ...replaces(...instances) }))[1]
  expect(told(7, 'a')).toBe('    started again 7 s ago: the one before ended with SIGKILL')
  expect(told(600, 'a', 'b')).toBe(
    '    started again 10 min ago: the one before ended with SIGKILL, the last of 2',
  )
  expect(told(3_601, 'a')).not.toContain('started again')
})

test('by timestamps nobody can tell how far it is behind', () => {
  expect(describe(poller({ metrics: { 'freshet.poller.shards': 1 } }), 'timestamp').slice(1)).toEqual([
    '    1 index',
  ])
})

test.each([
  [1, '1 s'],
  [119, '119 s'],
  [120, '2 min'],
  [7_200, '2 h'],
  [172_800, '2 days'],
])('an error of %i s ago says how old it is, also after the recovery', (seconds, ago) => {
  const scorer = { service: 'scorer', instance: 'scorer-box-2' }
  const error = { lastError: 'S3_UNREACHABLE: no answer', lastErrorAtMs: AT_MS - seconds * 1_000 }
  expect(describe(poller({ ...scorer, ...error }))).toEqual([
    '  scorer-box-2       running   heard 2 s ago',
    `    last error, ${ago} ago: S3_UNREACHABLE: no answer`,
  ])
})

test('a scorer tells how far all of them are in scoring again, and nothing once nothing is left', () => {
  const metrics = {
    'freshet.rescore.generation': 7,
    'freshet.rescore.total': 5_000,
    'freshet.rescore.left': 1_900,
    'freshet.rescore.began_at': AT_MS / 1_000 - 240,
    'freshet.rescore.rows': 1_234,
  }
  const scorer = (figures: Record<string, number>) =>
    describe(poller({ service: 'scorer', instance: 'scorer-box-2', metrics: figures })).slice(1)
  expect(scorer(metrics)).toEqual([
    '    scoring again with promotion 7: 62 % of 5,000 changes, began 4 min ago, 1,234 rows by this scorer',
  ])
  expect(scorer({ ...metrics, 'freshet.rescore.began_at': 0 })[0]).toContain('not begun')
  expect(scorer({ ...metrics, 'freshet.rescore.left': 0 })).toEqual([])
  expect(describe(poller({ service: 'scorer', status: 'gone', metrics })).slice(1)).toEqual([])
})

test('a scorer tells how much it has still to bring to a Redis that lost its data', () => {
  const scorer = (left: number, status: 'running' | 'gone' = 'running') => {
    const metrics = { 'freshet.cache.refill_left': left }
    return describe(poller({ service: 'scorer', instance: 'scorer-box-2', status, metrics })).slice(1)
  }
  expect(scorer(12_000)).toEqual(['    refilling Redis: 12,000 rows to come'])
  expect([...scorer(0), ...scorer(5, 'gone')]).toEqual([])
})

test('an instance whose heartbeat cannot be read is named, and is not nobody', () => {
  const unreadable = [{ name: 'scorer/s2', error: 'RECORD_VERSION: heartbeat version 2' }]
  const text = describeStatus({
    ...{ pipeline: 'air', mode: 'seqNo', atMs: AT_MS, instances: [], unreadable, groups: [] },
  })
  expect(text).toContain('scorer/s2: its heartbeat cannot be read: RECORD_VERSION')
  expect(text).not.toContain('no instance runs')
})
