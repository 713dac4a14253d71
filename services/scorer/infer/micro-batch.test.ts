import { Buffer } from 'node:buffer'
import { scoreRowBytes } from '@freshet/records/score-batch.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cutMicroBatches, type MicroBatchLimits } from './micro-batch.ts'

const sizes = fc.option(fc.nat(50))
const messages = fc.array(fc.record({ offset: fc.nat(), key: sizes.map(bytes), value: sizes.map(bytes) }), {
  maxLength: 60,
})
const limits: fc.Arbitrary<MicroBatchLimits> = fc.record({
  maxRows: fc.integer({ min: 1, max: 20 }),
  maxBytes: fc.integer({ min: 1, max: 200 }),
  maxScoreBytes: fc.integer({ min: 1, max: 400 }),
  outputs: fc.integer({ min: 1, max: 3 }),
})

function bytes(length: number | null): Buffer | null {
  return length === null ? null : Buffer.alloc(length)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

describe('micro-batches', () => {
  test('together are the messages in their order: none lost, none twice, none empty', () => {
    fc.assert(
      fc.property(messages, limits, (all, bounds) => {
        const batches = [...cutMicroBatches(all, bounds)]
        expect(batches.flat()).toEqual(all)
        expect(batches.every((batch) => batch.length > 0)).toBe(true)
      }),
    )
  })

  test('hold every bound, except that one message may be over it alone', () => {
    fc.assert(
      fc.property(messages, limits, (all, { maxRows, maxBytes, maxScoreBytes, outputs }) => {
        for (const batch of cutMicroBatches(all, { maxRows, maxBytes, maxScoreBytes, outputs })) {
          expect(batch.length).toBeLessThanOrEqual(maxRows)
          if (batch.length === 1) continue
          expect(sum(batch.map(({ value }) => value?.length ?? 0))).toBeLessThanOrEqual(maxBytes)
          expect(sum(batch.map(({ key }) => scoreRowBytes(key?.length ?? 0, outputs)))).toBeLessThanOrEqual(
            maxScoreBytes,
          )
        }
      }),
    )
  })

  test('are cut no sooner than a bound asks for', () => {
    const all = Array.from({ length: 7 }, (_, offset) => ({ offset, key: null, value: Buffer.alloc(10) }))
    const bounds = { maxRows: 3, maxBytes: 1_000, maxScoreBytes: 10_000, outputs: 1 }
    expect([...cutMicroBatches(all, bounds)].map((batch) => batch.length)).toEqual([3, 3, 1])
    expect([...cutMicroBatches(all, { ...bounds, maxBytes: 20 })].map((batch) => batch.length)).toEqual([
      2, 2, 2, 1,
    ])
  })
})
