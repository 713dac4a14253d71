import type { Facts } from '@freshet/records/facts.ts'
import { expect, test } from 'vitest'
import { facts, fault, findings, group, NOW_MS, partition } from './facts.kit.ts'

/** Scores wait for so long, and the last commit is so old. */
function waiting(lagSeconds: number, commitSeconds: number | null, worse: Partial<Facts> = {}): Facts {
  const well = facts().snapshot
  const written =
    commitSeconds === null
      ? { sequence: 0, writtenAtMs: 0, writtenBy: '', partitions: [] }
      : { writtenAtMs: NOW_MS - commitSeconds * 1_000 }
  return facts({
    groups: [group('snapshot', { partitions: [partition({ endOffset: 50, lagRecords: 30, lagSeconds })] })],
    snapshot: { ...well, value: { ...well.value!, ...written } },
    ...worse,
  })
}

test('scores that wait for longer than an interval and the threshold are told, with the last commit', () => {
  expect(findings(waiting(200, 240))).toMatchObject([
    {
      id: 'snapshot-stale',
      title: 'the snapshot is 4 min old, and scores wait for the next',
      details: { Waiting: '30 batches of scores, the oldest 3 min old', 'Last commit': '7, by scorer-1' },
      measure: { value: 200, unit: 's', threshold: 180 },
    },
  ])
})

test('a pipeline without a snapshot is told as such', () => {
  expect(findings(waiting(200, null))).toMatchObject([
    { title: 'there is no snapshot, and scores have waited for one for 3 min' },
  ])
})

test('an old snapshot is well where nothing waits, and waiting is where it is young', () => {
  expect(findings(waiting(0, 90_000))).toEqual([])
  expect(findings(waiting(200, 40))).toEqual([])
  expect(findings(waiting(100, 100))).toEqual([])
})

test('a partition that the manifest holds is not waiting, whatever its group has committed', () => {
  const held = waiting(200, 240)
  held.snapshot.value!.partitions[0]!.nextOffset = 50
  expect(findings(held)).toEqual([])
})

test('without S3 it is that', () => {
  const { snapshot } = waiting(200, 240)
  const gone = { fault: fault('S3_UNREACHABLE: gone') }
  const away = waiting(200, 240, { snapshot: { ...snapshot, ...gone }, model: { ...facts().model, ...gone } })
  expect(findings(away)).toMatchObject([
    { id: 'unreachable/s3' },
    { id: 'snapshot-stale', causedBy: 'unreachable/s3' },
  ])
})
