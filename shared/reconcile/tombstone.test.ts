import { compareRevisions, encodeRank, type Revision } from '@freshet/records/revision.ts'
import { expect, test } from 'vitest'
import { tombstoneInShard, tombstoneOfDeadEpoch } from './tombstone.ts'

const row: Revision = { documentVersion: 0, epoch: 100, primaryTerm: 1, seqNo: 40 }

test('a delete outranks the score that it is for, and no document that was written after the keys were read', () => {
  const tombstone = tombstoneInShard(row, 50)!
  expect(compareRevisions(tombstone, row)).toBeGreaterThan(0)
  for (const written of [{ seqNo: 51 }, { seqNo: 51, primaryTerm: 2 }, { epoch: 200 }])
    expect(compareRevisions({ ...row, ...written }, tombstone)).toBeGreaterThan(0)
})

/** A replica that had not yet met the last primary, which died before it wrote anything, brings operations of before. */
test('after a second failover, a document of the term before the first outranks the delete', () => {
  const ofTermOne = { ...row, primaryTerm: 1, seqNo: 51 }
  // The primary of term 2 was read at checkpoint 50, and never had that operation.
  expect(compareRevisions(ofTermOne, tombstoneInShard(row, 50)!)).toBeGreaterThan(0)
})

test('a delete beyond the checkpoint of a document written at it waits for a later look', () => {
  expect(tombstoneInShard(row, 40)).toBeUndefined()
  expect(tombstoneInShard({ ...row, primaryTerm: 2 }, 40)).toBeUndefined()
  expect(tombstoneInShard(row, 39)).toBeUndefined()
})

test('what is buried with a dead epoch is below everything that is captured under a higher one', () => {
  const tombstone = tombstoneOfDeadEpoch(row, { mayLive: true })!
  expect(compareRevisions(tombstone, row)).toBeGreaterThan(0)
  expect(compareRevisions({ ...row, epoch: 101, primaryTerm: 0, seqNo: 0 }, tombstone)).toBeGreaterThan(0)
})

test('where a version decides, nothing is buried whose key may live with a lower one', () => {
  const versioned = { ...row, documentVersion: 5 }
  expect(tombstoneOfDeadEpoch(versioned, { mayLive: true })).toBeUndefined()
  expect(tombstoneOfDeadEpoch(versioned, { mayLive: false })?.documentVersion).toBe(5)
})

test('every store has a place for it', () => {
  const tombstone = tombstoneOfDeadEpoch(row, { mayLive: false })!
  expect(encodeRank({ revision: tombstone, modelGeneration: 1 })).toMatch(/ffffffff/)
})
