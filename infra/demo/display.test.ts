import { expect, test } from 'vitest'
import { titlesOf } from './display.ts'

test('of the alerts the last few are shown by their titles, each in a line of its own', () => {
  const messages = ['a', 'b', 'c', `FIRING: ${'x'.repeat(200)}\nmore`].map((text) => ({ text }))
  expect(titlesOf(messages)).toEqual(['b', 'c', `FIRING: ${'x'.repeat(92)}`])
  expect(titlesOf([])).toEqual([])
})
