import type { Facts } from '@freshet/records/facts.ts'
import { expect, test } from 'vitest'
import { ago, facts, fault, findings, group, partition } from './facts.kit.ts'

const late = (worker: string, lagSeconds: number, worse: Parameters<typeof group>[1] = {}) => [
  group(worker, {
    partitions: [partition(), partition({ partition: 1, endOffset: 5_230, lagRecords: 5_210, lagSeconds })],
    ...worse,
  }),
]
const found = (groups: Facts['groups'], earlier: readonly Facts[] = []) =>
  findings(facts({ groups }), earlier)

test('a group that is further behind than the threshold is named, with how far and where', () => {
  expect(found([...late('infer', 300), ...late('cache', 60)])).toMatchObject([
    {
      id: 'lag/air-infer',
      kind: 'lag',
      title: 'air-infer is 5 min behind',
      details: {
        Topic: 'air.changes',
        Behind: '5 min, 5,210 records',
        Partitions: '1 of 2: 1',
        Readers: '1',
      },
      measure: { value: 300, unit: 's', threshold: 60 },
    },
  ])
})

test('a group that nobody reads for is told as such, with what to start', () => {
  expect(found(late('cache', 90, { members: 0 }))).toMatchObject([
    {
      title: 'air-cache is 90 s behind, and nobody reads for it',
      advice: { firstLook: expect.stringContaining('scorer.workers has cache') },
    },
  ])
})

test('the snapshot, which takes its turn, is not told to lag', () => {
  expect(found(late('snapshot', 100))).toEqual([])
})

test('where the lag goes is told', () => {
  const trend = (...earlier: readonly Facts[]) => found(late('infer', 300), earlier)[0]?.details.Trend
  expect(trend()).toBe('not known yet')
  expect(trend(ago(30, { groups: late('infer', 270) }))).toBe('growing')
  expect(trend(ago(30, { groups: late('infer', 300) }), ago(5, { groups: late('infer', 310) }))).toBe(
    'steady',
  )
  expect(trend(ago(30, { groups: late('infer', 360) }))).toBe('falling, below 60 in about 2 min')
})

test('what piled up while Redis was away is not told again as lag while it is worked off; what began later is', () => {
  const away = { redis: { seenAtMs: 1, value: {}, fault: fault('REDIS_UNREACHABLE: no answer') } }
  const outage = [ago(200), ...[190, 160, 130, 100].map((seconds) => ago(seconds, away)), ago(90), ago(30)]
  expect(found(late('cache', 200), outage)).toEqual([])
  expect(found(late('cache', 80), outage)).toMatchObject([{ id: 'lag/air-cache' }])
  expect(found(late('infer', 200), outage)).toMatchObject([{ id: 'lag/air-infer' }])
})

test('a moment without Redis does not explain a lag that goes on long after it', () => {
  const away = { redis: { seenAtMs: 1, value: {}, fault: fault('REDIS_UNREACHABLE: no answer') } }
  expect(found(late('cache', 100), [ago(40), ago(30, away), ago(20)])).toMatchObject([
    { id: 'lag/air-cache' },
  ])
  expect(found(late('cache', 100), [ago(40), ago(15, away), ago(5)])).toEqual([])
})
