import { seeded } from '@freshet/stage/seeded.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GoldenBins, MIN_ROWS } from './population-stability.ts'

const golden = Array.from({ length: 200 }, (_, i) => i)

function indexOf(scores: ArrayLike<number>, of: readonly number[] = golden): number | null {
  const bins = GoldenBins.of(of)!
  const counts = bins.empty()
  bins.count(Float64Array.from(scores), counts)
  return bins.index(counts)
}

const drawn = (rows: number, score: (uniform: number) => number) => {
  const random = seeded(7)
  return Array.from({ length: rows }, () => score(random()))
}

test('scores that fall as the golden ones do have an index near 0', () => {
  expect(indexOf(drawn(10_000, (u) => u * 200))!).toBeLessThan(0.01)
})

test('a shift of the scores by a third of their range is above what counts as drift', () => {
  expect(indexOf(drawn(10_000, (u) => u * 200 + 66))!).toBeGreaterThan(0.25)
})

test('it is the textbook sum over deciles', () => {
  const half = Array.from({ length: 2_000 }, (_, i) => i % 100) // the lower five deciles only
  const many = (2_000 / 5 + 0.5) / 2_005
  const none = 0.5 / 2_005
  const expected = 5 * (many - 0.1) * Math.log(many / 0.1) + 5 * (none - 0.1) * Math.log(none / 0.1)
  expect(indexOf(half)!).toBeCloseTo(expected, 10)
})

test('a classifier whose scores are mostly the same is compared in the bins that there are', () => {
  const mostlyZero = Array.from({ length: 200 }, (_, i) => Math.max(0, i - 100))
  expect(
    indexOf(
      drawn(5_000, (u) => Math.max(0, u * 200 - 100)),
      mostlyZero,
    )!,
  ).toBeLessThan(0.02)
})

describe('nothing is said', () => {
  test('below a thousand rows', () => {
    expect(indexOf(drawn(MIN_ROWS - 1, (u) => u))).toBeNull()
    expect(indexOf(drawn(MIN_ROWS, (u) => u))).not.toBeNull()
  })

  test('where golden rows are few or all alike', () => {
    expect(GoldenBins.of(golden.slice(0, 59))).toBeNull()
    expect(GoldenBins.of(golden.slice(0, 60))).not.toBeNull()
    expect(GoldenBins.of(golden.map(() => 1))).toBeNull()
    expect(GoldenBins.of(golden.map((i) => i % 2))).toBeNull()
    expect(GoldenBins.of([])).toBeNull()
  })
})

test('it is never negative, and finite whatever the scores are', () => {
  fc.assert(
    fc.property(fc.array(fc.double(), { minLength: MIN_ROWS, maxLength: MIN_ROWS + 50 }), (scores) => {
      const index = indexOf(scores.map((score) => (Number.isNaN(score) ? 0 : score)))!
      expect(index).toBeGreaterThanOrEqual(0)
      expect(index).toBeLessThan(Number.POSITIVE_INFINITY)
    }),
    { numRuns: 20 },
  )
})
