import type { Rank } from '@freshet/records/revision.ts'
import type { RowState } from '@freshet/records/score-batch.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Said, unheard } from './said.ts'
import { answerFrom, scoresOf } from './stored-score-to-answer.ts'

const NOW_MS = 1_700_000_060_000
const rules = { default: 0.25, cacheKeepsAll: true }
const nothing: Said = { kind: 'has nothing' }

function has(seqNo: number, state: RowState = 'scored'): Said {
  return { kind: 'has', score: stored(seqNo, state) }
}

function stored(seqNo: number, state: RowState): StoredScore {
  const rank: Rank = {
    revision: { documentVersion: 0, epoch: 1, primaryTerm: 1, seqNo },
    modelGeneration: 1,
  }
  const outputs = state === 'scored' ? { delay: seqNo } : {}
  return { key: 'UA-1', rank, state, outputs, asOfMs: NOW_MS - 5_000, scoredAtMs: NOW_MS, model: 'delay@1' }
}

function ask(cache: Said, snapshot: Said, more: { cacheKeepsAll?: boolean } = {}) {
  return answerFrom('UA-1', { cache, snapshot }, { ...rules, ...more }, NOW_MS)
}

describe('an answer for a key', () => {
  test('comes from the cache, with its age, its moment and its model', () => {
    expect(ask(has(2), has(1))).toMatchObject({
      kind: 'answer',
      answer: {
        key: 'UA-1',
        score: 2,
        source: 'cache',
        age_ms: 5_000,
        as_of: new Date(NOW_MS - 5_000).toISOString(),
        model: 'delay@1',
        degraded: false,
      },
    })
  })

  test('is never older than what the snapshot knows', () => {
    expect(ask(has(1), has(2))).toMatchObject({
      answer: { score: 2, source: 'snapshot', degraded: true, reason: 'cache_behind' },
    })
  })

  test('comes from the snapshot when the cache could not be asked, and says why', () => {
    expect(ask(unheard('cache_late'), has(2))).toMatchObject({
      answer: { score: 2, source: 'snapshot', degraded: true, reason: 'cache_late' },
    })
  })

  test('from the snapshot is no failure when the cache is meant to forget', () => {
    expect(ask(nothing, has(2))).toMatchObject({ answer: { degraded: true, reason: 'cache_missing' } })
    expect(ask(nothing, has(2), { cacheKeepsAll: false })).toMatchObject({
      answer: { source: 'snapshot', degraded: false },
    })
  })

  test('is the default when nobody who could be asked has one', () => {
    const byDefault = { score: 0.25, source: 'default', age_ms: null, model: null, degraded: true }
    expect(ask(unheard('cache_late'), nothing)).toMatchObject({
      answer: { ...byDefault, reason: 'cache_late' },
    })
    expect(ask(nothing, unheard('snapshot_loading'))).toMatchObject({
      answer: { ...byDefault, reason: 'snapshot_loading' },
    })
  })

  test('is the default while the current document cannot be scored, though an older score exists', () => {
    expect(ask(has(2, 'unscorable'), has(1))).toMatchObject({
      answer: { score: 0.25, source: 'default', reason: 'unscorable' },
    })
  })

  test('names every output when there are several, and the first is the score', () => {
    expect(scoresOf({ delay: 1, risk: 0.5 })).toEqual({ score: 1, scores: { delay: 1, risk: 0.5 } })
    expect(scoresOf({ delay: 1 })).toEqual({ score: 1 })
  })
})

test('a key is unknown only when both stores looked and have nothing', () => {
  expect(ask(nothing, nothing)).toEqual({ kind: 'absent', why: 'unknown' })
})

test('a deleted key is absent, whichever store knows of it', () => {
  const deleted = { kind: 'absent', why: 'deleted' }
  expect(ask(has(2, 'deleted'), has(1))).toEqual(deleted)
  expect(ask(has(1), has(2, 'deleted'))).toEqual(deleted)
  expect(ask(unheard('cache_late'), has(2, 'deleted'))).toEqual(deleted)
})

test('whatever the stores say, the answer is that of the highest rank among them, or honest about who was not heard', () => {
  const score = fc.record({
    seqNo: fc.nat(3),
    state: fc.constantFrom<RowState>('scored', 'deleted', 'unscorable'),
  })
  const said = fc.oneof(
    score.map(({ seqNo, state }) => has(seqNo, state)),
    fc.constant(nothing),
    fc.constant(unheard('cache_late')),
  )
  fc.assert(
    fc.property(said, said, (cache, snapshot) => {
      const outcome = ask(cache, snapshot)
      const ranks = [cache, snapshot].flatMap((one) =>
        one.kind === 'has' ? [one.score.rank.revision.seqNo] : [],
      )
      if (outcome.kind === 'answer' && outcome.answer.source !== 'default')
        expect(outcome.answer.score).toBe(Math.max(...ranks))
      if (ranks.length === 0 && (cache.kind === 'was not heard' || snapshot.kind === 'was not heard'))
        expect(outcome).toMatchObject({ kind: 'answer', answer: { source: 'default', degraded: true } })
      if (outcome.kind === 'answer') expect(outcome.answer.degraded).toBe(outcome.answer.reason !== undefined)
    }),
  )
})
