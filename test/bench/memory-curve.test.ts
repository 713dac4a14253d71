import { expect, test } from 'vitest'
import { curveOf, type MemoryPoint, slopeOf } from './memory-curve.ts'

/** Holds 100 MiB and so much for each million documents. */
function points(mibAMillion: number, documents: readonly number[]): MemoryPoint[] {
  return documents.map((count) => {
    const mib = 100 + (mibAMillion * count) / 1e6
    return { documents: count, rssMiB: mib, heapMiB: mib / 2, externalMiB: 1 }
  })
}

test('what grows with the documents has a slope, what does not has none', () => {
  const grows = points(16, [1e6, 1.5e6, 4e6, 5e6])
  expect(slopeOf(grows, 'rssMiB')).toBeCloseTo(16)
  expect(slopeOf(grows, 'heapMiB')).toBeCloseTo(8)
  expect(slopeOf(grows, 'externalMiB')).toBeCloseTo(0)
  expect(slopeOf(points(16, [1e6]), 'rssMiB')).toBe(0)
})

test('a curve tells the median of each million', () => {
  const curve = curveOf(points(10, [0, 1e6, 1.2e6, 1.5e6, 1.9e6]))
  expect(curve).toMatchObject({ rssMiBAt1M: 105, rssMiBAt2M: 115, externalMiBAt2M: 1 })
})
