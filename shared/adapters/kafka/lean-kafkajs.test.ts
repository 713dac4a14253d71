import { Buffer } from 'node:buffer'
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32c } from './crc32c.ts'
import { groupByPartition, stock } from './lean-kafkajs.ts'
import { type Encoded, encodeBatch, type KafkaJsRecord, sizeRecord } from './record-encoder.ts'

const stockRecord = stock.record as (record: KafkaJsRecord) => Encoded
const stockBatch = (stock.batch as { RecordBatch: (batch: object) => Promise<Encoded> }).RecordBatch
const stockGrouping = stock.grouping as typeof groupByPartition

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

const batch = fc.record({
  records: fc.array(record, { minLength: 1, maxLength: 20 }),
  firstTimestamp: fc.oneof(fc.nat(2 ** 41), fc.constant('1764000000123')),
  maxTimestamp: fc.nat(2 ** 41),
  transactional: fc.boolean(),
  producerEpoch: fc.nat(100),
  firstSequence: fc.nat(2 ** 30),
})

test('a batch of records has the very bytes that kafkajs gives it', async () => {
  await fc.assert(
    fc.asyncProperty(batch, async ({ records, ...head }) => {
      const lastOffsetDelta = records.length - 1
      const ours = await encodeBatch({ ...head, lastOffsetDelta, records: records.map(sizeRecord) })
      const theirs = await stockBatch({ ...head, lastOffsetDelta, records: records.map(stockRecord) })
      expect(ours.buffer.equals(theirs.buffer)).toBe(true)
      expect(ours.size()).toBe(theirs.size())
    }),
    { numRuns: 1_000 },
  )
})

test('so has one whose values are longer than a varint byte can say', async () => {
  const records = [0, 63, 64, 8_191, 8_192, 1_048_576].map((length) => ({
    key: null,
    value: Buffer.alloc(length, 7),
  }))
  const head = { firstTimestamp: 1, maxTimestamp: 2, lastOffsetDelta: 5 }
  const ours = await encodeBatch({ ...head, records: records.map(sizeRecord) })
  const theirs = await stockBatch({ ...head, records: records.map(stockRecord) })
  expect(ours.buffer.equals(theirs.buffer)).toBe(true)
})

test('the checksum is CRC-32C', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
})

test('messages are grouped as kafkajs groups them, in their order', () => {
  const messages = fc.array(fc.record({ partition: fc.nat(5), value: fc.nat() }))
  const partitioner = ({ message }: { message: { partition: number } }) => message.partition
  fc.assert(
    fc.property(messages, fc.array(fc.constant({}), { maxLength: 2 }), (some, partitionMetadata) => {
      const grouping = { topic: 't', partitionMetadata, messages: some, partitioner }
      expect(groupByPartition(grouping)).toEqual(stockGrouping(grouping))
    }),
  )
})

test('kafkajs uses ours', () => {
  const require = createRequire(import.meta.url)
  expect(require('kafkajs/src/producer/groupMessagesPerPartition.js')).toBe(groupByPartition)
})
