import { expect, test } from 'vitest'
import { listed } from './listed.ts'

test.each([
  [[], ''],
  [['a'], 'a'],
  [['a', 'b'], 'a, b'],
  [['a', 'b', 'c'], 'a, b and 1 more'],
  [[1, 2, 3, 4], '1, 2 and 2 more'],
])('two of %j are %j: none is left out unsaid', (names, said) => {
  expect(listed(names, 2)).toBe(said)
})
