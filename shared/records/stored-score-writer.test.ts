import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { scoreBatchOf, storedScoreAt } from './score-batch.kit.ts'
import { ROW_STATES } from './score-batch.ts'
import { pageOf, scoreBatches } from './score-batches.kit.ts'
import { encodeShortRank, MAX_SHORT_NUMBER_BYTES, shortNumber, writeShortNumber } from './short-rank.ts'
import { rowsOfBatch, type StoredRows } from './stored-rows.ts'
import { decodeStoredScore, encodeStoredScore, type StoredScore, storedScoreOf } from './stored-score.ts'
import { StoredScoreWriter } from './stored-score-writer.ts'

/** Where the writer's two halves of a number meet. */
const whereHalvesMeet = fc
  .tuple(fc.integer({ min: 1, max: 900_719_925 }), fc.nat(1))
  .map(([high, less]) => high * 10_000_000 - less)
const moment = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(1, 10, 99_999_999), whereHalvesMeet)

/** The value of a row as text. */
function written(rows: StoredRows, row: number, writer = new StoredScoreWriter(rows)): string {
  const into = Buffer.alloc(writer.maxBytes)
  return into.toString('utf8', 0, writer.write(row, into, 0))
}

/** JSON has no NaN, no infinity and no negative zero. */
function asJsonHasIt(score: StoredScore): StoredScore {
  return { ...score, outputs: JSON.parse(JSON.stringify(score.outputs)) }
}

test('a value is written from columns as it is by itself, byte for byte', () => {
  const row = fc.record({
    key: fc.string({ unit: 'grapheme' }),
    documentVersion: fc.constantFrom(0, 1),
    epoch: fc.constantFrom(1, 1_764_000_000_123),
    primaryTerm: fc.nat(2),
    seqNo: fc.maxSafeNat(),
    asOfMs: moment,
    state: fc.constantFrom(...ROW_STATES),
    outputs: fc.array(fc.oneof(fc.double(), fc.nat(3)), { minLength: 2, maxLength: 2 }),
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

test('a page of several models is read back row by row, in whatever order its rows are written', () => {
  const pages = scoreBatches.map(pageOf).chain((page) => {
    const all = Array.from({ length: page.count }, (_, row) => row)
    return fc.tuple(fc.constant(page), fc.shuffledSubarray(all, { minLength: all.length }))
  })
  fc.assert(
    fc.property(pages, ([page, order]) => {
      const writer = new StoredScoreWriter(page)
      for (const row of order) {
        const score = storedScoreOf(page, row)
        expect(decodeStoredScore(score.key, written(page, row, writer))).toEqual(asJsonHasIt(score))
      }
    }),
  )
})

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
  'a score of %d, which no scorer sends, is null, and the others of its row stay',
  (value) => {
    const batch = scoreBatchOf([{ key: 'a', outputs: [value, 12.5] }], { outputs: ['late', 'minutes'] })
    const text = written(rowsOfBatch(batch), 0)
    expect(text.endsWith(' delay@1 {"late":null,"minutes":12.5}')).toBe(true)
    expect(decodeStoredScore('a', text).outputs).toEqual({ late: null, minutes: 12.5 })
  },
)

test('outputs and models of any name are read back by it', () => {
  // Not a lone backslash: once V8 of Node 24 has read such a key, it takes other escaped keys in its place for it.
  const name = fc
    .oneof(
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.constantFrom('__proto__', 'constructor', '"', '}', '\\\\', '\u2028', '\ud800', 'a deleted'),
    )
    .filter((name) => name !== '\\')
  const word = fc.stringMatching(/^[^\s]+$/)
  fc.assert(
    fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 4 }), word, (outputs, version) => {
      const model = { name: 'delay', version, generation: 1 }
      const values = outputs.map((_, i) => i + 0.5)
      const batch = scoreBatchOf([{ key: 'a', outputs: values }], { outputs, model })
      const score = decodeStoredScore('a', written(rowsOfBatch(batch), 0))
      expect(score).toEqual(storedScoreAt(batch, 0))
      expect(Object.entries(score.outputs)).toHaveLength(outputs.length)
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
