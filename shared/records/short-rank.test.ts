import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareRanks, type Rank } from './revision.ts'
import { decodeShortRank, encodeShortRank } from './short-rank.ts'

/** Small ranges beside the whole ones, so that equal parts and ties are drawn often. */
const part = (max: number) => fc.oneof(fc.nat(3), fc.nat(300), fc.integer({ min: 0, max }))
const ranks: fc.Arbitrary<Rank> = fc.record({
  revision: fc.record({
    documentVersion: part(Number.MAX_SAFE_INTEGER),
    epoch: part(2 ** 48 - 1),
    primaryTerm: part(2 ** 32 - 1),
    seqNo: part(Number.MAX_SAFE_INTEGER),
  }),
  modelGeneration: part(2 ** 32 - 1),
})

describe('a short rank', () => {
  test('sorts as the rank does, whatever follows it', () => {
    fc.assert(
      fc.property(ranks, ranks, fc.string(), fc.string(), (a, b, restOfA, restOfB) => {
        fc.pre(compareRanks(a, b) !== 0)
        const isLess = `${encodeShortRank(a)}${restOfA}` < `${encodeShortRank(b)}${restOfB}`
        expect(isLess).toBe(compareRanks(a, b) < 0)
      }),
      { numRuns: 2_000 },
    )
  })

  test('is read back as it was', () => {
    fc.assert(
      fc.property(ranks, (rank) => {
        expect(decodeShortRank(encodeShortRank(rank))).toEqual(rank)
      }),
    )
  })

  test('of a common document takes 24 characters', () => {
    const revision = { documentVersion: 0, epoch: 1_764_000_000_123, primaryTerm: 3, seqNo: 1_234_567 }
    expect(encodeShortRank({ revision, modelGeneration: 7 })).toBe('0b19ab697e87b13612d68717')
  })

  const tooGreat = ['e200000000000000000', '0d1000000000000000', '00910000000000', '00009100000000']
  test.each([
    '',
    'zz',
    '0000',
    '00000 ',
    '1',
    '0000011',
    '01000',
    '9fff',
    '2011111',
    '0B19',
    '000g0',
    'f',
    ...tooGreat,
  ])('is not %j', (text) => {
    expect(() => decodeShortRank(text)).toThrow(/not a rank/)
  })

  test('does not hold what is no whole number', () => {
    const revision = { documentVersion: 0, epoch: 1.5, primaryTerm: 1, seqNo: 1 }
    expect(() => encodeShortRank({ revision, modelGeneration: 1 })).toThrow(/no number of a rank/)
  })
})
