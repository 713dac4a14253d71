import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { golden } from './golden/golden.kit.ts'
import { MOMENTS_END_MS } from './moment.ts'
import { scoreBatchOf } from './score-batch.kit.ts'
import {
  decodeScoreBatch,
  encodeScoreBatch,
  keyAt,
  ROW_STATES,
  rankAt,
  type ScoreBatch,
  stateAt,
} from './score-batch.ts'

const header = {
  partition: 3,
  fromOffset: 40,
  toOffset: 42,
  model: { name: 'delay', version: '2025-11', generation: 7 },
  scoredAtMs: 1_764_000_002_000,
  trace: { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' },
}
const revision = { documentVersion: 0, epoch: 1_764_000_000_123, primaryTerm: 3 }
const threeRows = scoreBatchOf(
  [
    {
      key: 'flights/AA-12',
      ...revision,
      seqNo: 5,
      asOfMs: 1_764_000_001_456,
      state: 'scored',
      outputs: [0.25, 12.5],
    },
    {
      key: 'flights/Zürich',
      ...revision,
      seqNo: 6,
      asOfMs: 1_764_000_001_457,
      state: 'deleted',
      outputs: [],
    },
    {
      key: 'flights/BA-7',
      ...revision,
      seqNo: 7,
      asOfMs: 1_764_000_001_458,
      state: 'unscorable',
      outputs: [],
    },
  ],
  { ...header, outputs: ['late', 'minutes'] },
)

const batches: fc.Arbitrary<ScoreBatch> = fc.nat(3).chain((outputs) =>
  fc
    .array(
      fc.record({
        key: fc.string({ unit: 'grapheme' }),
        documentVersion: fc.maxSafeNat(),
        epoch: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
        primaryTerm: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        seqNo: fc.maxSafeNat(),
        asOfMs: fc.maxSafeNat().map((ms) => ms % MOMENTS_END_MS),
        state: fc.constantFrom(...ROW_STATES),
        outputs: fc.array(fc.double(), { minLength: outputs, maxLength: outputs }),
      }),
      { maxLength: 10 },
    )
    .map((rows) =>
      scoreBatchOf(rows, { ...header, outputs: Array.from({ length: outputs }, (_, i) => `output ${i}`) }),
    ),
)

describe('a score batch', () => {
  test('of version 1 keeps its bytes', () => {
    const bytes = golden('score-batch.v1.hex')
    expect(encodeScoreBatch(threeRows).toString('hex')).toBe(bytes.toString('hex'))
    expect(decodeScoreBatch(bytes)).toEqual(threeRows)
  })

  test('is read back as it was', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        expect(decodeScoreBatch(encodeScoreBatch(batch))).toEqual(batch)
      }),
    )
  })

  test('is read from a message that lies anywhere in memory', () => {
    const bytes = encodeScoreBatch(threeRows)
    expect(decodeScoreBatch(Buffer.concat([Buffer.alloc(3), bytes]).subarray(3))).toEqual(threeRows)
  })

  test('tells key, rank and state of each row', () => {
    expect([0, 1, 2].map((row) => keyAt(threeRows.rows, row).toString())).toEqual([
      'flights/AA-12',
      'flights/Zürich',
      'flights/BA-7',
    ])
    expect([0, 1, 2].map((row) => stateAt(threeRows.rows, row))).toEqual(['scored', 'deleted', 'unscorable'])
    expect(rankAt(threeRows, 2)).toEqual({ revision: { ...revision, seqNo: 7 }, modelGeneration: 7 })
  })

  test('of another version is refused by name', () => {
    const bytes = encodeScoreBatch(threeRows)
    bytes[0] = 9
    expect(() => decodeScoreBatch(bytes)).toThrow('score batch version 9, this build reads 1')
  })

  test('that is cut off anywhere, or runs on, is malformed', () => {
    const bytes = encodeScoreBatch(threeRows)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), (length) => {
        expect(() => decodeScoreBatch(bytes.subarray(0, length))).toThrow(
          expect.objectContaining({ code: 'RECORD_MALFORMED' }),
        )
      }),
    )
    expect(() => decodeScoreBatch(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(/cannot be read/)
  })

  test('damaged in any byte is read or refused with a code of ours, never a crash', () => {
    fc.assert(
      fc.property(fc.nat(encodeScoreBatch(threeRows).length - 1), fc.nat(255), (at, value) => {
        const bytes = encodeScoreBatch(threeRows)
        bytes[at] = value
        try {
          decodeScoreBatch(bytes)
        } catch (error) {
          expect(error).toMatchObject({ name: 'FreshetError' })
        }
      }),
      { numRuns: 500 },
    )
  })
})
