/**
 * Proved: whatever record batches a broker sends, cut off anywhere, our decoder gives the messages that kafkajs's own
 * gives. Real: kafkajs's encoder and decoder, and its filter of aborted and control records. Modelled: the broker's part,
 * which sets offsets and flags in the head of a batch.
 */
import { Buffer } from 'node:buffer'
import { createRequire } from 'node:module'
import fc from 'fast-check'
import type { KafkaMessage } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { stock } from '../kafkajs/lean-kafkajs.ts'
import { crc32c } from './crc32c.ts'
import { type AnswerReader, decodeMessages } from './decode-messages.ts'
import type { FetchedRecord } from './fetched-records.ts'
import { keyLengthOf, MessageParts, valueLengthOf } from './message-parts.ts'

const require = createRequire(import.meta.url)
const Decoder: new (bytes: Buffer) => KafkajsReader = require('kafkajs/src/protocol/decoder.js')
const Record: (of: object) => object = require('kafkajs/src/protocol/recordBatch/record/v0/index.js')
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0/index.js') as {
  RecordBatch: (of: object) => Promise<{ buffer: Buffer }>
}
const StockBatch: new (topic: string, fetchedOffset: string, of: object) => KafkajsBatch =
  require('kafkajs/src/consumer/batch.js')

interface KafkajsBatch {
  readonly messages: readonly { readonly offset: number | string }[]
  firstOffset(): number | string | null
  lastOffset(): number | string
  offsetLag(): string
  offsetLagLow(): string
  isEmpty(): boolean
  isEmptyDueToFiltering(): boolean
}

/** kafkajs's, as far as it is looked at here. */
type KafkajsReader = AnswerReader & { readonly offset: number }
type StockMessage = KafkaMessage & Pick<FetchedRecord, 'isControlRecord' | 'batchContext'>

const stockDecode = stock.decode as (reader: AnswerReader) => Promise<StockMessage[]>

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array))
const name = fc.string({ unit: 'binary', maxLength: 8 }).filter((text) => text !== '__proto__')
const delta = fc.oneof(fc.nat(300), fc.integer({ min: -(2 ** 40), max: 2 ** 40 }))

const record = fc.record({
  offsetStep: fc.oneof(
    fc.constant(1),
    fc.nat(20_000).map((hole) => hole + 1),
  ),
  timestampDelta: delta,
  key: fc.option(fc.oneof(bytes(40), fc.constant(Buffer.alloc(4)))),
  value: fc.option(bytes(300)),
  headers: fc.dictionary(name, fc.oneof(bytes(80), fc.array(bytes(5), { minLength: 1, maxLength: 3 }))),
})

const batch = fc.record({
  firstOffset: fc.oneof(
    fc.nat(100),
    fc.maxSafeNat().map((offset) => Math.floor(offset / 2)),
  ),
  firstTimestamp: fc.integer({ min: 1e12, max: 2e12 }),
  maxTimestamp: fc.integer({ min: 1e12, max: 2e12 }),
  producerId: fc.constantFrom(-1, 7, 8),
  transactional: fc.boolean(),
  control: fc.boolean(),
  appendTime: fc.boolean(),
  records: fc.array(record, { maxLength: 12 }),
})
type BatchPlan = typeof batch extends fc.Arbitrary<infer Plan> ? Plan : never

const CONTROL = 0x20
const LOG_APPEND_TIME = 0x08
const GZIP = 1

/** As the broker has it: it, not the producer, sets the offset and says what is a control batch. */
async function bytesOf(plan: BatchPlan, compression = 0): Promise<Buffer> {
  let offsetDelta = 0
  const records = plan.records.map(({ offsetStep, ...of }) => {
    offsetDelta += offsetStep
    return Record({ offsetDelta, ...of })
  })
  const { firstTimestamp, maxTimestamp, producerId, transactional } = plan
  const times = { firstTimestamp, maxTimestamp }
  const { buffer } = await RecordBatch({
    ...{ ...times, producerId, transactional, compression },
    ...{ lastOffsetDelta: offsetDelta, records },
  })
  const encoded = Buffer.from(buffer)
  encoded.writeBigInt64BE(BigInt(plan.firstOffset), 0)
  const flags = (plan.control ? CONTROL : 0) | (plan.appendTime ? LOG_APPEND_TIME : 0)
  encoded.writeInt16BE(encoded.readInt16BE(21) | flags, 21)
  encoded.writeUInt32BE(crc32c(encoded.subarray(21)), 17)
  return encoded
}

/** The size, the batches, and what may follow in an answer. */
function inAnswer(batches: Buffer, said = batches.length): KafkajsReader {
  const size = Buffer.alloc(4)
  size.writeInt32BE(said)
  return new Decoder(Buffer.concat([size, batches]))
}

/** What a handler sees of a message, and what kafkajs's filter sees. */
function seen({ offset, timestampMs, key, value, headers, isControlRecord, batchContext }: FetchedRecord) {
  const { producerId, inTransaction } = batchContext
  return { offset, timestampMs, key, value, headers, isControlRecord, producerId, inTransaction }
}

function seenOfStock({
  offset,
  timestamp,
  headers,
  key,
  value,
  isControlRecord,
  batchContext,
}: StockMessage) {
  const last = (header: unknown) => (Array.isArray(header) ? header.at(-1) : header)
  const plain = Object.fromEntries(Object.entries(headers ?? {}).map(([of, header]) => [of, last(header)]))
  const { producerId, inTransaction } = batchContext
  const place = { offset: Number(offset), timestampMs: Number(timestamp) }
  return { ...place, key, value, headers: plain, isControlRecord, producerId, inTransaction }
}

/** Both read the same answer, and stand at the same place after it. */
async function readBoth(batches: Buffer) {
  const [ourReader, theirReader] = [inAnswer(batches), inAnswer(batches)]
  const [ours, theirs] = [await decodeMessages(ourReader), await stockDecode(theirReader)]
  expect(ours.map(seen)).toEqual(theirs.map(seenOfStock))
  expect(ourReader.offset).toBe(theirReader.offset)
  return { ours, theirs }
}

/** What is looked up by place is what the message gives as Buffers, whoever has decoded it. */
function expectPlaces(message: FetchedRecord): void {
  const { key, value, headers } = message
  expect([keyLengthOf(message), valueLengthOf(message)]).toEqual([key?.length ?? 0, value?.length ?? 0])
  for (const name of [...Object.keys(headers), 'another']) {
    const parts = new MessageParts(name)
    for (const one of [message, { key, value, headers }]) {
      parts.of(one)
      const cut = (from: number, to: number) => (to < from ? null : parts.bytes.subarray(from, to))
      expect(cut(parts.keyAt, parts.keyTo)).toEqual(key)
      expect(cut(parts.valueAt, parts.valueTo)).toEqual(value)
      expect(cut(parts.headerAt, parts.headerTo)).toEqual(headers[name] ?? null)
    }
  }
}

describe('messages are what kafkajs makes of the same bytes', () => {
  test('whatever they hold', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 3 }), async (plans) => {
        await readBoth(Buffer.concat(await Promise.all(plans.map((plan) => bytesOf(plan)))))
      }),
      { numRuns: 500 },
    )
  })

  test('and are found by place, whoever has decoded them', async () => {
    await fc.assert(
      fc.asyncProperty(batch, async (plan) => {
        for (const message of await decodeMessages(inAnswer(await bytesOf(plan)))) expectPlaces(message)
      }),
    )
  })

  test('where the answer is cut off: whole batches only', async () => {
    const cut = fc.record({
      plans: fc.array(batch, { minLength: 1, maxLength: 3 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    await fc.assert(
      fc.asyncProperty(cut, async ({ plans, share }) => {
        const whole = Buffer.concat(await Promise.all(plans.map((plan) => bytesOf(plan))))
        // Behind the byte that tells the format: a broker never sends less of its first batch.
        const length = 17 + Math.floor((whole.length - 17) * share)
        await readBoth(whole.subarray(0, length))
      }),
      { numRuns: 300 },
    )
  })

  test('also when a batch is compressed', async () => {
    const some = fc.sample(batch, { numRuns: 20, seed: 1 })
    for (const plan of some) {
      const [compressed, plain] = [await bytesOf(plan, GZIP), await bytesOf(plan)]
      const { ours } = await readBoth(Buffer.concat([plain, compressed, plain]))
      ours.forEach(expectPlaces)
    }
  })

  test('and kafkajs leaves out the same control records, aborted messages and those before the position', async () => {
    const aborted = fc.array(
      fc.record({ producerId: fc.constantFrom('7', '8'), firstOffset: fc.nat(200).map(String) }),
      { maxLength: 2 },
    )
    const given = fc.record({
      plans: fc.array(
        batch.map((plan) => ({ ...plan, firstOffset: plan.firstOffset % 100 })),
        { maxLength: 3 },
      ),
      abortedTransactions: aborted,
      from: fc.nat(200).map(String),
    })
    const facts = (one: KafkajsBatch) => ({
      offsets: one.messages.map(({ offset }) => Number(offset)),
      first: one.firstOffset() === null ? null : Number(one.firstOffset()),
      last: Number(one.lastOffset()),
      lags: [one.offsetLag(), one.offsetLagLow()],
      empty: [one.isEmpty(), one.isEmptyDueToFiltering()],
    })
    await fc.assert(
      fc.asyncProperty(given, async ({ plans, abortedTransactions, from }) => {
        const all = Buffer.concat(await Promise.all(plans.map((plan) => bytesOf(plan))))
        const { ours, theirs } = await readBoth(all)
        const rest = { partition: 0, highWatermark: '50000', abortedTransactions }
        const [mine, stocks] = [ours, theirs].map(
          (messages) => new StockBatch('t', from, { ...rest, messages }),
        )
        expect(facts(mine!)).toEqual(facts(stocks!))
      }),
      { numRuns: 300 },
    )
  })
})

test('a flipped bit is no message: kafkajs does not look at the checksum', async () => {
  const flip = fc.record({ plan: batch, share: fc.double({ min: 0, max: 1, noNaN: true }), bit: fc.nat(7) })
  await fc.assert(
    fc.asyncProperty(flip, async ({ plan, share, bit }) => {
      const bytes = await bytesOf(plan)
      const at = 17 + Math.floor((bytes.length - 18) * share)
      bytes[at]! ^= 1 << bit
      await expect(decodeMessages(inAnswer(bytes))).rejects.toMatchObject({
        code: 'KAFKA_CORRUPT',
        retryable: true,
      })
    }),
  )
})

test('an answer without messages, or with fewer bytes than it says, has none', async () => {
  expect(await decodeMessages(inAnswer(Buffer.alloc(0)))).toEqual([])
  expect(await decodeMessages(inAnswer(Buffer.alloc(10), 100))).toEqual([])
  expect(await decodeMessages(inAnswer(Buffer.alloc(10), -1))).toEqual([])
})

test('kafkajs uses ours', () => {
  const used = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js')
  expect(used).not.toBe(stock.decode)
  expect(used(inAnswer(Buffer.alloc(0)))).toBeInstanceOf(Promise)
})
