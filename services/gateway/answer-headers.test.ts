import { ANSWER_SOURCES, type Answer } from '@freshet/records/answer.ts'
import { REASONS, type Reason } from '@freshet/records/reasons.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { answerLines } from './answer-headers.ts'

const answer: Answer = {
  key: 'a',
  score: 1,
  source: 'cache',
  age_ms: 61_900,
  as_of: '2026-01-01T00:00:00.000Z',
  model: 'delay@1',
  degraded: false,
}

const statusIn = (lines: string) => /^cache-status: (.*)$/m.exec(lines)![1]!.trim()

test('a good answer tells its age in whole seconds, where it came from, and how long it took', () => {
  expect(answerLines(answer, 1.2345)).toBe(
    'cache-status: freshet-redis; hit\r\nserver-timing: total;dur=1.23\r\nage: 61\r\n',
  )
})

test('a fallback names the store that failed and why', () => {
  const fallback: Answer = { ...answer, source: 'snapshot', degraded: true, reason: 'cache_late' }
  expect(answerLines(fallback, 1)).toContain(
    'cache-status: freshet-snapshot; hit, freshet-redis; fwd=miss; detail=cache_late\r\n',
  )
})

test('a default has no age', () => {
  const nothing: Answer = { ...answer, source: 'default', age_ms: null, degraded: true, reason: 'deadline' }
  expect(answerLines(nothing, 1)).not.toContain('age:')
})

test('every source and reason makes a list of tokens as RFC 9211 wants them', () => {
  const member = /^[a-z-]+; (hit|fwd=(miss|bypass))(; detail=[a-z_]+)?$/
  for (const source of ANSWER_SOURCES)
    for (const reason of Object.keys(REASONS) as Reason[])
      for (const part of statusIn(answerLines({ ...answer, source, reason }, 1)).split(', '))
        expect(part).toMatch(member)
})

test('times are written with two decimals, as toFixed does', () => {
  const times = fc.double({ min: 0, max: 1e6, noNaN: true })
  fc.assert(
    fc.property(times, (tookMs) => {
      const written = /\r\nserver-timing: total;dur=(\d+\.\d\d)\r\n/.exec(answerLines(answer, tookMs))![1]
      expect(Math.abs(Number(written) - tookMs)).toBeLessThanOrEqual(0.005_000_1)
    }),
  )
})
