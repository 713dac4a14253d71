import fc from 'fast-check'
import { expect, test } from 'vitest'
import { floatBelow } from './float-below.ts'

test('no float32 lies between a number and the one below it', () => {
  const float = fc.float({ noNaN: true })
  fc.assert(
    fc.property(float, float, (value, x) => {
      fc.pre(value !== Number.NEGATIVE_INFINITY)
      expect(x < value).toBe(x <= floatBelow(value))
    }),
    {
      examples: [
        [0, -1.401298464324817e-45],
        [-0, 0],
        [Number.POSITIVE_INFINITY, 3.4028234663852886e38],
      ],
    },
  )
})

test('nothing is below -∞, or below what is no number', () => {
  expect(floatBelow(Number.NEGATIVE_INFINITY)).toBeNaN()
  expect(floatBelow(Number.NaN)).toBeNaN()
})
