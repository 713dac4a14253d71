import { ANSWER_SOURCES, type Answer } from '@freshet/records/answer.ts'
import { REASONS, type Reason } from '@freshet/records/reasons.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { answerHeaders } from './answer-headers.ts'

const answer: Answer = {
  key: 'a',
  score: 1,
  source: 'cache',
  age_ms: 61_900,
  as_of: '2026-01-01T00:00:00.000Z',
  model: 'delay@1',
  degraded: false,
}

test('a good answer tells its age in whole seconds, where it came from, and how long it took', () => {
  expect(answerHeaders(answer, 1.2345)).toEqual([
    'cache-status',
    'freshet-redis; hit',
    'server-timing',
    'total;dur=1.23',
    'age',
    '61',
  ])
})

test('a fallback names the store that failed and why', () => {
  const fallback: Answer = { ...answer, source: 'snapshot', degraded: true, reason: 'cache_late' }
  expect(answerHeaders(fallback, 1)[1]).toBe(
    'freshet-snapshot; hit, freshet-redis; fwd=miss; detail=cache_late',
  )
})

test('a default has no age', () => {
  const nothing: Answer = { ...answer, source: 'default', age_ms: null, degraded: true, reason: 'deadline' }
  expect(answerHeaders(nothing, 1)).not.toContain('age')
})

test('every source and reason makes a list of tokens as RFC 9211 wants them', () => {
  const member = /^[a-z-]+; (hit|fwd=(miss|bypass))(; detail=[a-z_]+)?$/
  for (const source of ANSWER_SOURCES)
    for (const reason of Object.keys(REASONS) as Reason[])
      for (const part of answerHeaders({ ...answer, source, reason }, 1)[1]!.split(', '))
        expect(part).toMatch(member)
})

test('times are written with two decimals, as toFixed does', () => {
  const times = fc.double({ min: 0, max: 1e6, noNaN: true })
  fc.assert(
    fc.property(times, (tookMs) => {
      const written = answerHeaders(answer, tookMs)[3]!
      expect(written).toMatch(/^total;dur=\d+\.\d\d$/)
      expect(Math.abs(Number(written.slice('total;dur='.length)) - tookMs)).toBeLessThanOrEqual(0.005_000_1)
    }),
  )
})
