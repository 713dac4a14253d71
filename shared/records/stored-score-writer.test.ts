import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { scoreBatchOf, storedScoreAt } from './score-batch.kit.ts'
import { ROW_STATES } from './score-batch.ts'
import { encodeShortRank, MAX_SHORT_NUMBER_BYTES, shortNumber, writeShortNumber } from './short-rank.ts'
import { rowsOfBatch } from './stored-rows.ts'
import { encodeStoredScore } from './stored-score.ts'
import { StoredScoreWriter } from './stored-score-writer.ts'

const moment = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(1, 10, 9_999_999, 10_000_000, 99_999_999))
const finite = fc.double({ noNaN: true, noDefaultInfinity: true })

test('a value is written from columns as it is by itself, byte for byte', () => {
  const row = fc.record({
    key: fc.string({ unit: 'grapheme' }),
    documentVersion: fc.constantFrom(0, 1),
    epoch: fc.constantFrom(1, 1_764_000_000_123),
    primaryTerm: fc.nat(2),
    seqNo: fc.maxSafeNat(),
    asOfMs: moment,
    state: fc.constantFrom(...ROW_STATES),
    outputs: fc.array(fc.oneof(finite, fc.nat(3)), { minLength: 2, maxLength: 2 }),
  })
  fc.assert(
    fc.property(fc.array(row), fc.nat(9), moment, fc.nat(2), (rows, generation, scoredAtMs, width) => {
      const model = { name: 'delay', version: '1', generation }
      const outputs = ['spät', 'a "name"'].slice(0, width)
      const batch = scoreBatchOf(
        rows.map((one) => ({ ...one, outputs: one.outputs.slice(0, width) })),
        { outputs, model, scoredAtMs },
      )
      const writer = new StoredScoreWriter(rowsOfBatch(batch))
      const into = Buffer.alloc(writer.maxBytes + 3, '?')
      for (const at of rows.keys()) {
        const end = writer.write(at, into, 3)
        expect(into.subarray(0, end).toString()).toBe(`???${encodeStoredScore(storedScoreAt(batch, at))}`)
        into.fill('?')
      }
    }),
  )
})

test('the longest value has room', () => {
  const row = {
    ...{ key: 'k', documentVersion: Number.MAX_SAFE_INTEGER, epoch: 2 ** 48 - 1, primaryTerm: 2 ** 32 - 1 },
    ...{
      seqNo: Number.MAX_SAFE_INTEGER,
      asOfMs: Number.MAX_SAFE_INTEGER,
      outputs: [-1.2345678901234567e-308],
    },
  }
  const model = { name: 'delay', version: '1', generation: 2 ** 32 - 1 }
  const batch = scoreBatchOf([row], { model, scoredAtMs: 0 })
  const { maxBytes } = new StoredScoreWriter(rowsOfBatch(batch))
  expect(maxBytes).toBeGreaterThanOrEqual(encodeStoredScore(storedScoreAt(batch, 0)).length)
})

test('a number of a rank is the same as bytes and as text', () => {
  const into = Buffer.alloc(MAX_SHORT_NUMBER_BYTES)
  const edges = Array.from({ length: 53 }, (_, bits) => [2 ** bits - 1, 2 ** bits]).flat()
  fc.assert(
    fc.property(fc.oneof(fc.maxSafeNat(), fc.constantFrom(...edges, Number.MAX_SAFE_INTEGER)), (value) => {
      expect(into.toString('latin1', 0, writeShortNumber(value, into, 0))).toBe(shortNumber(value))
    }),
    { numRuns: 1_000 },
  )
  for (const value of [-1, 0.5, 2 ** 53, Number.NaN])
    expect(() => writeShortNumber(value, into, 0)).toThrow(
      expect.objectContaining({ code: 'RECORD_MALFORMED' }),
    )
})

test('a rank is no longer than five such numbers', () => {
  const most = Number.MAX_SAFE_INTEGER
  const revision = { documentVersion: most, epoch: most, primaryTerm: most, seqNo: most }
  expect(encodeShortRank({ revision, modelGeneration: most })).toHaveLength(5 * MAX_SHORT_NUMBER_BYTES)
})
