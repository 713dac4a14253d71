import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isoMoment } from './iso-moment.ts'

test('every moment is written as Date writes it', () => {
  const moments = fc.oneof(
    fc.integer({ min: -8.64e15, max: 8.64e15 }),
    fc.integer({ min: 1_700_000_000_000, max: 1_700_200_000_000 }),
    fc.double({ min: -8.64e15, max: 8.64e15, noNaN: true }),
  )
  fc.assert(
    fc.property(moments, (atMs) => {
      expect(isoMoment(atMs)).toBe(new Date(atMs).toISOString())
    }),
    { numRuns: 5_000 },
  )
  expect(() => isoMoment(8.64e15 + 1e8)).toThrow(RangeError)
})
