import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startOf } from './start-offsets.ts'

test('a partition begins where its owner wants, else where the group was, else at the beginning', () => {
  expect(startOf({ low: 5, high: 100, committed: 40, wanted: 20 })).toEqual({ offset: 20 })
  expect(startOf({ low: 5, high: 100, committed: 40, wanted: undefined })).toEqual({ offset: 40 })
  expect(startOf({ low: 5, high: 100, committed: undefined, wanted: undefined })).toEqual({ offset: 5 })
})

test('a position that fell out of the log is told with the number of messages that are gone', () => {
  expect(startOf({ low: 50, high: 100, committed: 20, wanted: undefined })).toEqual({
    offset: 50,
    outside: { position: 20, missing: 30 },
  })
})

test('a position beyond the end, as after a topic was made anew, reads everything', () => {
  expect(startOf({ low: 0, high: 3, committed: 20, wanted: undefined })).toEqual({
    offset: 0,
    outside: { position: 20, missing: 0 },
  })
})

test('nothing that the log has is ever skipped in silence', () => {
  const offset = fc.nat(100)
  const maybe = fc.option(offset, { nil: undefined })
  fc.assert(
    fc.property(offset, offset, maybe, maybe, (low, size, committed, wanted) => {
      const start = startOf({ low, high: low + size, committed, wanted })
      const position = wanted ?? committed ?? low
      expect(start.offset <= Math.max(position, low)).toBe(true)
      expect(start.offset === position || start.outside !== undefined).toBe(true)
    }),
  )
})
