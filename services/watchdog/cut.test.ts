import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { cut, escapeWithin } from './cut.ts'

test('text that fits stays as it is, to the last character', () => {
  expect(cut('abc', 3)).toBe('abc')
  expect(cut('abcd', 3)).toBe('ab…')
})

test('an entity or a pair of surrogates is left out as a whole', () => {
  const entities = { '&': '&amp;' }
  expect(escapeWithin('a&b', 7, entities)).toBe('a&amp;b')
  expect(escapeWithin('a&b', 6, entities)).toBe('a…')
  expect(cut('🔴🔴', 3)).toBe('🔴…')
})

test('nothing is ever longer than it may be, and always well formed', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', '<', '🔴', '\ud83d', '\ude00') }),
      fc.integer({ min: 1, max: 20 }),
      (text, max) => {
        const short = escapeWithin(text, max, { '<': '&lt;' })
        expect(short.length).toBeLessThanOrEqual(max)
        expect(short.isWellFormed()).toBe(true)
      },
    ),
  )
})
