import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeRecord, encodeRecordStock } from './record-encoder.ts'

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
const text = fc.string({ unit: 'binary', maxLength: 100 })
const value = fc.oneof(bytes, text, fc.constant(null))
const header = fc.oneof(bytes, text)

const record = fc.record({
  offsetDelta: fc.integer({ min: 0, max: 2 ** 20 }),
  timestampDelta: fc.oneof(fc.integer(), fc.integer({ min: -(2 ** 45), max: 2 ** 45 })),
  key: value,
  value,
  headers: fc.dictionary(
    fc.string({ minLength: 1, maxLength: 20 }),
    fc.oneof(header, fc.array(header, { maxLength: 3 })),
  ),
})

test('a record has the very bytes that kafkajs gives it', () => {
  fc.assert(
    fc.property(record, (one) => {
      expect(encodeRecord(one).buffer.equals(encodeRecordStock(one).buffer)).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})

test('so has one without headers, and one whose value is longer than a varint byte can say', () => {
  for (const length of [0, 63, 64, 8_191, 8_192, 1_048_576]) {
    const one = { key: null, value: Buffer.alloc(length, 7) }
    expect(encodeRecord(one).buffer.equals(encodeRecordStock(one).buffer)).toBe(true)
  }
})
