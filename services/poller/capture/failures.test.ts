import { type ErrorCode, FreshetError } from '@freshet/errors/errors.ts'
import { expect, test } from 'vitest'
import { isOfIndex, isWorthWaiting } from './failures.ts'

const error = (code: ErrorCode) => new FreshetError(code, 'of this test')

test('what is wrong with one index holds up no other', () => {
  for (const code of [
    'INDEX_MISSING',
    'INDEX_BLOCKED',
    'ELASTICSEARCH_UNREACHABLE',
    'HIT_MALFORMED',
  ] as const)
    expect(isOfIndex(error(code))).toBe(true)
})

test('what a retry cannot help, and a bug, ends the poller', () => {
  for (const mistake of [error('KAFKA_UNAUTHORIZED'), new TypeError('a bug')]) {
    expect(isOfIndex(mistake)).toBe(false)
    expect(isWorthWaiting(mistake)).toBe(false)
  }
})

test('a named index that is made anew is waited for, in either mode', () => {
  expect(isWorthWaiting(error('INDEX_MISSING'))).toBe(true)
})
