import type { Answer } from '@freshet/records/answer.ts'
import { expect, test } from 'vitest'
import { defaultAnswer, type Outcome } from '../ladder/stored-score-to-answer.ts'
import type { PoolScores } from './pool-scores.ts'
import { type Facts, rankingOf } from './ranking.ts'

const SEEN_AT_MS = Date.parse('2026-01-01T00:00:10Z')
const rules = { default: 0.5, cacheKeepsAll: true }
const surroundings = { rules, firstOutput: 'delay', nowMs: SEEN_AT_MS + 25 }
const wanted: { top: number; by?: string; order: 'desc' | 'asc' } = { top: 10, order: 'desc' }

const pool = { hits: [], fields: 'a', seenAtMs: SEEN_AT_MS }
const fresh = { kind: 'fresh', pool } as const
const last = { kind: 'last', pool, reason: 'elasticsearch_late' } as const
const late: PoolScores = { kind: 'unable', reason: 'live_late' }

function scoresOf(...values: (number | null)[]): PoolScores {
  const known = values.filter((value) => value !== null)
  let row = 0
  return {
    kind: 'scored',
    model: 'delay@2',
    outputs: ['delay', 'risk'],
    columns: [Float64Array.from(known), Float64Array.from(known, (value) => -value)],
    rows: Int32Array.from(values, (value) => (value === null ? -1 : row++)),
  }
}

function storedAt(key: string, score: number, asOf: string): Outcome {
  return {
    kind: 'answer',
    answer: {
      key,
      score,
      scores: { delay: score, risk: -score },
      source: 'cache',
      age_ms: 5,
      as_of: asOf,
      model: 'delay@1',
      degraded: false,
    },
  }
}

const before = '2026-01-01T00:00:09.000Z'
const after = '2026-01-01T00:00:11.000Z'
const unscorable = (key: string) => defaultAnswer(key, 'unscorable', rules)
const unheard = (key: string) => defaultAnswer(key, 'cache_late', rules)

function rankingFor(facts: Partial<Facts>, more: Partial<typeof wanted> = {}) {
  const all: Facts = {
    keys: ['a', 'b', 'c'],
    keyless: 0,
    found: fresh,
    scores: late,
    stored: undefined,
    ...facts,
  }
  return rankingOf(all, { ...wanted, ...more }, surroundings)
}

function told(items: readonly Answer[]): unknown[] {
  return items.map(({ key, score, source, reason }) => [key, score, source, ...(reason ? [reason] : [])])
}

test('a pool of now is ranked by what the model says of it now', () => {
  const { items, ...ranking } = rankingFor({ scores: scoresOf(1, 3, 2) })
  expect(told(items)).toEqual([
    ['b', 3, 'live'],
    ['c', 2, 'live'],
    ['a', 1, 'live'],
  ])
  expect(items[0]).toEqual({
    key: 'b',
    score: 3,
    scores: { delay: 3, risk: -3 },
    source: 'live',
    age_ms: 25,
    as_of: '2026-01-01T00:00:10.000Z',
    model: 'delay@2',
    degraded: false,
  })
  expect(ranking).toEqual({
    size: 3,
    unscorable: 0,
    pool: { source: 'elasticsearch', seenAtMs: SEEN_AT_MS, ageMs: 25 },
    degraded: false,
  })
})

test('the best are as many as wanted, by the output that is named, in the order that is asked for', () => {
  expect(told(rankingFor({ scores: scoresOf(1, 3, 2) }, { top: 1 }).items)).toEqual([['b', 3, 'live']])
  const byRisk = rankingFor({ scores: scoresOf(1, 3, 2) }, { by: 'risk' }).items
  expect(byRisk.map(({ key }) => key)).toEqual(['a', 'c', 'b'])
  const lowest = rankingFor({ scores: scoresOf(1, 3, 2) }, { order: 'asc' }).items
  expect(lowest.map(({ key }) => key)).toEqual(['a', 'c', 'b'])
})

test('a document that cannot be scored comes last with the default, and is counted', () => {
  const { items, ...ranking } = rankingFor({ scores: scoresOf(null, 0.1, 0.2), keyless: 2 })
  expect(told(items)).toEqual([
    ['c', 0.2, 'live'],
    ['b', 0.1, 'live'],
    ['a', 0.5, 'default', 'unscorable'],
  ])
  expect(ranking).toMatchObject({ size: 3, unscorable: 3, degraded: true, reason: 'unscorable' })
  const best = rankingFor({ scores: scoresOf(null, 0.1, 0.2) }, { top: 2 })
  expect(best).toMatchObject({ unscorable: 1, degraded: false }) // nothing in it is
})

test('without live scores the stored ones rank, whatever they lack comes last', () => {
  const stored = [unscorable('a'), storedAt('b', 2, before), { kind: 'absent', why: 'unknown' } as const]
  const { items, ...ranking } = rankingFor({ stored })
  expect(told(items)).toEqual([
    ['b', 2, 'cache', 'live_late'],
    ['a', 0.5, 'default', 'unscorable'],
    ['c', 0.5, 'default', 'score_missing'],
  ])
  expect(ranking).toMatchObject({ unscorable: 1, degraded: true, reason: 'live_late' })
})

test('with neither live nor stored scores the pool keeps its order, with defaults', () => {
  const { items } = rankingFor({ stored: ['a', 'b', 'c'].map(unheard) }, { top: 2 })
  expect(told(items)).toEqual([
    ['a', 0.5, 'default', 'live_late'],
    ['b', 0.5, 'default', 'live_late'],
  ])
})

test('of the last pool, whichever saw the document later has the word', () => {
  const stored = [storedAt('a', 9, after), storedAt('b', 9, before), unheard('c')]
  const { items, ...ranking } = rankingFor({ found: last, scores: scoresOf(1, 2, 3), stored })
  expect(told(items)).toEqual([
    ['a', 9, 'cache', 'elasticsearch_late'],
    ['c', 3, 'live', 'elasticsearch_late'],
    ['b', 2, 'live', 'elasticsearch_late'],
  ])
  expect(ranking).toMatchObject({
    pool: { source: 'last', ageMs: 25 },
    degraded: true,
    reason: 'elasticsearch_late',
  })
})

test('of the last pool, what was deleted since is left out, and what cannot be scored any more comes last', () => {
  const stored = [
    { kind: 'absent', why: 'deleted' } as const,
    unscorable('b'),
    { kind: 'absent', why: 'unknown' } as const,
  ]
  const { items, ...ranking } = rankingFor({ found: last, scores: scoresOf(1, 2, 3), stored })
  expect(told(items)).toEqual([
    ['c', 3, 'live', 'elasticsearch_late'],
    ['b', 0.5, 'default', 'unscorable'],
  ])
  expect(ranking).toMatchObject({ size: 2, unscorable: 1 })
})

test('a document of now that a store believes deleted is there all the same', () => {
  const stored = [
    { kind: 'absent', why: 'deleted' } as const,
    storedAt('b', 1, before),
    storedAt('c', 2, before),
  ]
  expect(told(rankingFor({ stored }).items).at(-1)).toEqual(['a', 0.5, 'default', 'score_missing'])
})

test('an empty pool is an answer, and no degraded one', () => {
  expect(rankingFor({ keys: [], scores: scoresOf() })).toMatchObject({ items: [], size: 0, degraded: false })
})
