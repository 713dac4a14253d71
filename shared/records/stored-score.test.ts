import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { golden } from './golden/golden.kit.ts'
import { MOMENTS_END_MS } from './moment.ts'
import { encodeRank } from './revision.ts'
import { storedScoreAt } from './score-batch.kit.ts'
import { emptyRows } from './score-batch.ts'
import { encodeShortRank } from './short-rank.ts'
import { decodeStoredScore, encodeStoredScore, type StoredScore } from './stored-score.ts'

const flight: StoredScore = {
  key: 'flights/AA-12',
  rank: {
    revision: { documentVersion: 0, epoch: 1_764_000_000_123, primaryTerm: 3, seqNo: 5 },
    modelGeneration: 7,
  },
  state: 'scored',
  outputs: { late: 0.25, minutes: 12.5 },
  asOfMs: 1_764_000_001_456,
  scoredAtMs: 1_764_000_002_000,
  model: 'delay@2025-11',
}

describe('a stored score', () => {
  test('of version 2 keeps its text', () => {
    const text = golden('stored-score.v2.txt').toString()
    expect(encodeStoredScore(flight)).toBe(text)
    expect(decodeStoredScore(flight.key, text)).toEqual(flight)
  })

  test('of version 1 is still read', () => {
    expect(decodeStoredScore(flight.key, golden('stored-score.v1.txt').toString())).toEqual(flight)
  })

  test('that is none says so in a word', () => {
    for (const state of ['deleted', 'unscorable'] as const) {
      const none: StoredScore = { ...flight, state, outputs: {}, scoredAtMs: flight.asOfMs - 1 }
      const text = encodeStoredScore(none)
      expect(text.endsWith(` -1 delay@2025-11 ${state}`)).toBe(true)
      expect(decodeStoredScore(flight.key, text)).toEqual(none)
    }
  })

  test('is read back as it was, to the last digit', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.maxSafeNat().map((ms) => ms % MOMENTS_END_MS),
        (late, asOfMs) => {
          fc.pre(!Object.is(late, -0)) // JSON has no negative zero, and as a score it is zero
          const score = { ...flight, outputs: { late }, asOfMs }
          expect(decodeStoredScore(flight.key, encodeStoredScore(score))).toEqual(score)
        },
      ),
    )
  })

  test('begins with its rank, so that a store can compare without parsing', () => {
    expect(encodeStoredScore(flight).startsWith(`2${encodeShortRank(flight.rank)} `)).toBe(true)
  })

  test.each([
    ['version 9', JSON.stringify({ v: 9 }), 'RECORD_VERSION'],
    ['no JSON', '{', 'RECORD_MALFORMED'],
    ['null', 'null', 'RECORD_MALFORMED'],
    [
      'outputs of null',
      JSON.stringify({ v: 1, state: 'scored', outputs: null, as_of: 1 }),
      'RECORD_MALFORMED',
    ],
    ['a state unknown', JSON.stringify({ v: 1, state: 'lost', outputs: {}, as_of: 1 }), 'RECORD_MALFORMED'],
  ])('of version 1 with %s in its body is refused', (_, body, code) => {
    const text = encodeRank(flight.rank) + body
    expect(() => decodeStoredScore(flight.key, text)).toThrow(expect.objectContaining({ code }))
  })

  test.each([
    ['9', 'RECORD_VERSION'],
    ['', 'RECORD_MALFORMED'],
    ['hello', 'RECORD_MALFORMED'],
    ['{"v":3}', 'RECORD_MALFORMED'],
    ['1 hello', 'RECORD_MALFORMED'],
    ['2', 'RECORD_MALFORMED'],
    ['200111 5 +1 m@1 lost', 'RECORD_MALFORMED'],
    ['20011111 5 +1 m@1 {"late":}', 'RECORD_MALFORMED'],
    ['2001111 5 +1 m@1 {"late":1}', 'RECORD_MALFORMED'],
    ['20011111 5 1 m@1 {"late":1}', 'RECORD_MALFORMED'],
  ])('%j is refused', (text, code) => {
    expect(() => decodeStoredScore(flight.key, text)).toThrow(expect.objectContaining({ code }))
  })

  test('of a row without a score has no outputs', () => {
    const header = {
      partition: 0,
      fromOffset: 0,
      toOffset: 0,
      model: { name: 'delay', version: '2025-11', generation: 7 },
      outputs: ['late'],
      scoredAtMs: 1,
      trace: null,
    }
    const rows = emptyRows(1, 0, 1)
    rows.states[0] = 1
    expect(storedScoreAt({ header, rows }, 0)).toMatchObject({ state: 'deleted', outputs: {} })
  })
})
