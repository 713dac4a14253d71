import fc from 'fast-check'
import { expect, test } from 'vitest'
import { risonInAddress } from './rison.ts'

test('whatever stands in it, no sign of the address ends it in a chat program, and the value is there as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const state = risonInAddress({ query: value, some: [1, true, null] })
      expect(state).toMatch(/^[\w\-./#?=&%~]+$/)
      const quoted = value.toWellFormed().replaceAll(/[!']/g, '!$&')
      expect(decodeURIComponent(state)).toBe(`(query:'${quoted}',some:!(1,!t,!n))`)
    }),
  )
})
