import { emptyRows, type ScoreBatch } from '@freshet/records/score-batch.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Freshness } from './freshness.ts'

const NOW_MS = 1_800_000_000_000

function batch(fromOffset: number, agesMs: readonly number[], partition = 0): ScoreBatch {
  const rows = emptyRows(agesMs.length, 0, 1)
  rows.asOfMs.set(agesMs.map((ageMs) => NOW_MS - ageMs))
  return {
    header: {
      partition,
      fromOffset,
      toOffset: fromOffset + agesMs.length - 1,
      model: { name: 'm', version: '1', generation: 1 },
      outputs: ['score'],
      scoredAtMs: NOW_MS,
      trace: null,
    },
    rows,
  }
}

/** One that has seen a batch before. */
function started(): Freshness {
  const freshness = new Freshness({ windowMs: 60_000 })
  freshness.add(batch(0, [5]), NOW_MS)
  return freshness
}

describe('freshness', () => {
  test('is that of the rows, and up to a tenth above it', () => {
    const age = fc.oneof(fc.integer({ min: 1, max: 3_600_000 }), fc.constantFrom(20, 21))
    fc.assert(
      fc.property(fc.array(age, { minLength: 1, maxLength: 300 }), (agesMs) => {
        const freshness = started()
        freshness.add(batch(1, agesMs), NOW_MS)
        const sorted = agesMs.toSorted((a, b) => a - b)
        for (const [name, share] of [
          ['p50', 0.5],
          ['p99', 0.99],
        ] as const) {
          const exact = sorted[Math.ceil(share * sorted.length) - 1]! / 1_000
          const told = freshness.quantiles(NOW_MS).get(name)!
          expect(told).toBeGreaterThanOrEqual(exact * 0.999_999)
          expect(told).toBeLessThanOrEqual(exact * 1.100_001)
        }
      }),
    )
  })

  test('is unknown while nothing is new, and forgotten after the window', () => {
    const freshness = started()
    expect(freshness.quantiles(NOW_MS).size).toBe(0)
    freshness.add(batch(1, [100]), NOW_MS)
    expect(freshness.quantiles(NOW_MS + 49_000).size).toBe(2)
    expect(freshness.quantiles(NOW_MS + 61_000).size).toBe(0)
  })

  test('does not count what is scored again, comes again, or may do so', () => {
    const freshness = started()
    freshness.add(batch(1, [100, 100, 100]), NOW_MS)
    freshness.add(batch(0, [9_000_000]), NOW_MS)
    freshness.add(batch(1, [9_000_000, 9_000_000, 9_000_000]), NOW_MS)
    freshness.add(batch(7, [9_000_000], 1), NOW_MS)
    expect(freshness.quantiles(NOW_MS).get('p99')).toBeLessThan(0.12)
    freshness.add(batch(8, [9_000_000], 1), NOW_MS)
    expect(freshness.quantiles(NOW_MS).get('p99')).toBeGreaterThan(8_000)
  })

  test('of a document that seems to come from the future is that of a new one', () => {
    const freshness = started()
    freshness.add(batch(1, [-5_000]), NOW_MS)
    expect(freshness.quantiles(NOW_MS).get('p50')).toBe(0.001)
  })
})
