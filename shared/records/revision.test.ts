import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareRanks, decodeRank, encodeRank, newer, RANK_LENGTH, type Rank } from './revision.ts'

/** Small ranges beside the whole ones, so that equal parts and ties are drawn often. */
const part = (max: number) => fc.oneof(fc.nat(3), fc.integer({ min: 0, max }))
const ranks: fc.Arbitrary<Rank> = fc.record({
  revision: fc.record({
    documentVersion: part(Number.MAX_SAFE_INTEGER),
    epoch: part(2 ** 48 - 1),
    primaryTerm: part(2 ** 32 - 1),
    seqNo: part(Number.MAX_SAFE_INTEGER),
  }),
  modelGeneration: part(2 ** 32 - 1),
})

/** A register: its value is decided by its rank, as a document's score is. */
const registers = ranks.map((rank) => ({ rank, value: encodeRank(rank) }))

describe('ranks are a total order', () => {
  test('of two different ranks exactly one is higher', () => {
    fc.assert(
      fc.property(ranks, ranks, (a, b) => {
        expect(Math.sign(compareRanks(a, b))).toBe(-Math.sign(compareRanks(b, a)) || 0)
        expect(compareRanks(a, b) === 0).toBe(encodeRank(a) === encodeRank(b))
      }),
    )
  })

  test('what is higher than the higher is higher', () => {
    fc.assert(
      fc.property(ranks, ranks, ranks, (...three) => {
        const [low, middle, high] = three.sort(compareRanks) as [Rank, Rank, Rank]
        expect(compareRanks(low, middle)).toBeLessThanOrEqual(0)
        expect(compareRanks(middle, high)).toBeLessThanOrEqual(0)
        expect(compareRanks(low, high)).toBeLessThanOrEqual(0)
      }),
    )
  })

  test('a newer document outranks a newer model', () => {
    fc.assert(
      fc.property(ranks, fc.nat(), (rank, modelGeneration) => {
        const { revision } = rank
        fc.pre(revision.seqNo > 0)
        const older = { revision: { ...revision, seqNo: revision.seqNo - 1 }, modelGeneration }
        expect(compareRanks(older, rank)).toBeLessThan(0)
      }),
    )
  })
})

describe('merging by rank', () => {
  test('a repeated write changes nothing', () => {
    fc.assert(
      fc.property(registers, (a) => {
        expect(newer(a, a)).toBe(a)
      }),
    )
  })

  test('the order of two writes does not matter', () => {
    fc.assert(
      fc.property(registers, registers, (a, b) => {
        expect(newer(a, b)).toEqual(newer(b, a))
      }),
    )
  })

  test('how writes are grouped on their way does not matter', () => {
    fc.assert(
      fc.property(registers, registers, registers, (a, b, c) => {
        expect(newer(newer(a, b), c)).toEqual(newer(a, newer(b, c)))
      }),
    )
  })

  test('on a tie what is there stays', () => {
    fc.assert(
      fc.property(ranks, (rank) => {
        const there = { rank, value: 'there' }
        expect(newer(there, { rank, value: 'incoming' })).toBe(there)
      }),
    )
  })
})

describe('an encoded rank', () => {
  test('sorts as the rank does, byte by byte', () => {
    fc.assert(
      fc.property(ranks, ranks, (a, b) => {
        const [left, right] = [encodeRank(a), encodeRank(b)]
        expect(left < right ? -1 : left > right ? 1 : 0).toBe(Math.sign(compareRanks(a, b)))
      }),
    )
  })

  test('is read back as it was and has a fixed width', () => {
    fc.assert(
      fc.property(ranks, (rank) => {
        expect(decodeRank(encodeRank(rank))).toEqual(rank)
        expect(encodeRank(rank)).toHaveLength(RANK_LENGTH)
      }),
    )
  })

  test.each(['', 'zz', `${'0'.repeat(RANK_LENGTH)}0`, 'A'.repeat(RANK_LENGTH)])('is not %j', (text) => {
    expect(() => decodeRank(text)).toThrow(/not a rank/)
  })

  test.each([-1, 0.5, Number.NaN, 2 ** 48])('has no place for the epoch %d', (epoch) => {
    const revision = { documentVersion: 0, epoch, primaryTerm: 1, seqNo: 1 }
    expect(() => encodeRank({ revision, modelGeneration: 1 })).toThrow(/epoch/)
  })
})
