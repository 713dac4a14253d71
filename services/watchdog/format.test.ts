import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countOf, formatCount, formatSeconds } from './format.ts'
import { duration } from './page/public/words.js'

test.each([
  [0.4, '0 s'],
  [119, '119 s'],
  [120, '2 min'],
  [7_199, '119 min'],
  [7_200, '2 h'],
  [172_799, '47 h'],
  [172_800, '2 days'],
  [-3, '0 s'],
])('%d s is %s', (seconds, words) => {
  expect(formatSeconds(seconds)).toBe(words)
})

test('a count has its thousands apart, and of one thing there is no plural', () => {
  expect([0, 999.6, 48_210].map(formatCount)).toEqual(['0', '1,000', '48,210'])
  expect([0, 1, 5_210].map((count) => countOf(count, 'index', 'indices'))).toEqual([
    '0 indices',
    '1 index',
    '5,210 indices',
  ])
})

test('a message, the command line and the page call the same time the same', () => {
  fc.assert(
    fc.property(fc.double({ min: 10, max: 1e8, noNaN: true }), (seconds) => {
      expect(duration(seconds)).toBe(formatSeconds(seconds))
    }),
  )
})
