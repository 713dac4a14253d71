import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bestOf } from './pool-order.ts'

const values = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double(), fc.constant(Number.NaN)))

test('the best are those of a plain stable sort, and documents without a value come last', () => {
  fc.assert(
    fc.property(
      values,
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom('desc', 'asc'),
      (values, top, order) => {
        const places = [...values.keys()]
        const ranked = places.filter((place) => !Number.isNaN(values[place]))
        const plain = ranked.toSorted((a, b) => {
          const [x, y] = [values[a]!, values[b]!]
          if (x === y) return 0
          return (order === 'desc' ? x > y : x < y) ? -1 : 1
        })
        const last = places.filter((place) => Number.isNaN(values[place]))
        expect(bestOf(values, top, order as 'desc' | 'asc')).toEqual([...plain, ...last].slice(0, top))
      },
    ),
  )
})
