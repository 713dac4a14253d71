import { compareRevisions, encodeRank, type Revision } from '@freshet/records/revision.ts'
import { expect, test } from 'vitest'
import { tombstoneInShard, tombstoneOfDeadEpoch } from './tombstone.ts'

const row: Revision = { documentVersion: 0, epoch: 100, primaryTerm: 1, seqNo: 40 }

test('a delete outranks the score that it is for, and no document that was written after the keys were read', () => {
  const tombstone = tombstoneInShard(row, { primaryTerm: 2, checkpoint: 50 })!
  expect(compareRevisions(tombstone, row)).toBeGreaterThan(0)
  for (const written of [{ seqNo: 51, primaryTerm: 2 }, { seqNo: 52, primaryTerm: 3 }, { epoch: 200 }])
    expect(compareRevisions({ ...row, ...written }, tombstone)).toBeGreaterThan(0)
})

test('a delete beyond the checkpoint of a document written at it waits for a later look', () => {
  expect(tombstoneInShard(row, { primaryTerm: 1, checkpoint: 40 })).toBeUndefined()
  expect(tombstoneInShard(row, { primaryTerm: 2, checkpoint: 40 })).toBeDefined()
})

test('what is buried with a dead epoch is below everything that lives, else it is not buried', () => {
  const tombstone = tombstoneOfDeadEpoch(row, { lowestLiveEpoch: 101, isNowhere: false })!
  expect(compareRevisions(tombstone, row)).toBeGreaterThan(0)
  expect(compareRevisions({ ...row, epoch: 101, primaryTerm: 0, seqNo: 0 }, tombstone)).toBeGreaterThan(0)
  expect(tombstoneOfDeadEpoch(row, { lowestLiveEpoch: 100, isNowhere: true })).toBeUndefined()
  expect(tombstoneOfDeadEpoch(row, { lowestLiveEpoch: 99, isNowhere: true })).toBeUndefined()
})

test('where a version decides, nothing is buried whose key may live with a lower one', () => {
  const versioned = { ...row, documentVersion: 5 }
  expect(tombstoneOfDeadEpoch(versioned, { lowestLiveEpoch: 101, isNowhere: false })).toBeUndefined()
  const tombstone = tombstoneOfDeadEpoch(versioned, { lowestLiveEpoch: 101, isNowhere: true })!
  expect(tombstone.documentVersion).toBe(5)
})

test('every store has a place for it', () => {
  const tombstone = tombstoneOfDeadEpoch(row, { lowestLiveEpoch: Number.POSITIVE_INFINITY, isNowhere: true })!
  expect(encodeRank({ revision: tombstone, modelGeneration: 1 })).toMatch(/ffffffff/)
})
