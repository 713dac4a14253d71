import { expect, test } from 'vitest'
import {
  capture,
  facts,
  findings,
  group,
  instance,
  NOW_MS,
  partition,
  shard,
  withInstances,
} from './facts.kit.ts'

const standing = (worker: string, standsSeconds: number, members: number | null = 1) =>
  group(worker, {
    members,
    partitions: [
      partition({ partition: 0, lagRecords: 3, lagSeconds: standsSeconds, standsSeconds }),
      partition({ partition: 1, lagRecords: 3, lagSeconds: 5 }),
    ],
  })

test('a group that is alive, has work and does not move is told, and its lag follows from it', () => {
  expect(findings(facts({ groups: [standing('infer', 70)] }))).toMatchObject([
    {
      id: 'stall/air-infer',
      kind: 'stall',
      title: 'air-infer has stood still for 70 s with work before it',
      details: { Partitions: '1 of 2: 0', 'Standing at': '0@20', Waiting: '3 records' },
      measure: { value: 70, unit: 's', threshold: 30 },
    },
    { id: 'lag/air-infer', causedBy: 'stall/air-infer' },
  ])
})

test('what moves slowly, or has stood for a moment, does not stand', () => {
  expect(findings(facts({ groups: [standing('infer', 29)] }))).toEqual([])
})

test('a group without members is not alive, and one without a living scorer neither', () => {
  const ids = (...args: Parameters<typeof facts>) => findings(facts(...args)).map(({ id }) => id)
  expect(ids({ groups: [standing('infer', 70, 0)] })).toEqual(['lag/air-infer'])
  const instances = withInstances(instance('scorer-1', { status: 'stopping' }))
  expect(ids({ groups: [standing('infer', 70, null)], instances })).toEqual(['lag/air-infer'])
})

test('the snapshot may stand for as long as its interval takes', () => {
  expect(findings(facts({ groups: [standing('snapshot', 80)] }))).toEqual([])
  expect(findings(facts({ groups: [standing('snapshot', 95)] }))).toMatchObject([
    { id: 'stall/air-snapshot', measure: { value: 95, threshold: 90 } },
  ])
})

test('a capture that stands although a poller lives is told with its shards', () => {
  const stuck = capture(
    shard(),
    shard({ shard: 1, checkpoint: 199, behind: 100, behindSeconds: 61, standsSeconds: 61 }),
  )
  expect(findings(facts({ capture: stuck }))).toMatchObject([
    {
      id: 'stall/capture',
      title: 'the capture of flights has stood still for 61 s with work before it',
      details: { Shards: '1 of 2: flights/1 at 99 of 199', Waiting: '100 operations' },
    },
    { id: 'capture-behind', causedBy: 'stall/capture' },
  ])
})

test('a poller that has just come to a capture that stood without one does not stand', () => {
  const stuck = capture(shard({ checkpoint: 199, behind: 100, behindSeconds: 61, standsSeconds: 61 }))
  const instances = withInstances(instance('poller-1', { startedAtMs: NOW_MS - 29_000 }))
  expect(findings(facts({ capture: stuck, instances })).map(({ id }) => id)).toEqual(['capture-behind'])
})
