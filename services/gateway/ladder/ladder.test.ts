import type { StoredScore } from '@freshet/records/stored-score.ts'
import { expect, test } from 'vitest'
import { deadlineOf } from '../server/deadline.ts'
import { Ladder } from './ladder.ts'
import { type Said, unheard } from './said.ts'
import type { SnapshotRung } from './snapshot-rung.ts'

const rules = { default: null, cacheKeepsAll: true }
const deadline = deadlineOf(0, 100, null)

function storedAt(seqNo: number): StoredScore {
  return {
    key: 'a',
    rank: { revision: { documentVersion: 0, epoch: 1, primaryTerm: 1, seqNo }, modelGeneration: 1 },
    state: 'scored',
    outputs: { delay: seqNo },
    asOfMs: 0,
    scoredAtMs: 0,
    model: 'delay@1',
  }
}

class HandSnapshot implements SnapshotRung {
  ready = false
  score: StoredScore | undefined

  get(): StoredScore | undefined {
    return this.score
  }
}

test('a caller whom the cache cannot help is answered at once, without a turn of the loop', () => {
  const snapshot = Object.assign(new HandSnapshot(), { score: storedAt(1) })
  const outcome = new Ladder({ ask: () => unheard('cache_cut_off') }, snapshot, rules).lookUp('a', deadline)
  expect(outcome).toMatchObject({ answer: { source: 'snapshot', reason: 'cache_cut_off' } })
})

test('what the snapshot has learnt while the cache was asked counts', async () => {
  const cache = Promise.withResolvers<Said>()
  const snapshot = new HandSnapshot()
  const outcome = new Ladder({ ask: () => cache.promise }, snapshot, rules).lookUp('a', deadline)
  snapshot.score = storedAt(2)
  cache.resolve({ kind: 'has', score: storedAt(1) })
  expect(await outcome).toMatchObject({ answer: { score: 2, source: 'snapshot', reason: 'cache_behind' } })
})

test('nothing is unknown for certain before the snapshot is loaded', () => {
  const snapshot = new HandSnapshot()
  const ladder = new Ladder({ ask: () => ({ kind: 'has nothing' }) }, snapshot, rules)
  expect(ladder.lookUp('a', deadline)).toMatchObject({ answer: { reason: 'snapshot_loading' } })
  snapshot.ready = true
  expect(ladder.lookUp('a', deadline)).toEqual({ kind: 'absent', why: 'unknown' })
})
