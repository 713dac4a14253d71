import { Buffer } from 'node:buffer'
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import type { OutgoingMessage } from '../outgoing-message.ts'
import { toParcels } from '../send/parcel.ts'
import { crc32c } from '../wire/crc32c.ts'
import { type ProduceRequest, produceRequest } from '../wire/produce-request.ts'
import { frameRequest } from '../wire/request-frame.ts'
import { groupByPartition, stock } from './lean-kafkajs.ts'

const stockProduce = stock.produce as (request: object) => ReturnType<typeof produceRequest>
const stockFrame = stock.frame as typeof frameRequest
const stockGrouping = stock.grouping as (grouping: object) => ReturnType<typeof groupByPartition>

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array))
const text = fc.string({ unit: 'binary', maxLength: 20 })

const message: fc.Arbitrary<OutgoingMessage> = fc
  .record(
    {
      key: fc.option(bytes(40)),
      value: fc.option(bytes(300)),
      headers: fc.dictionary(text, bytes(80)),
      // Of 13 digits, as all since 2001: stock sorts them as texts.
      timestampMs: fc.integer({ min: 1e12, max: 1e13 - 1 }),
    },
    { requiredKeys: ['key', 'value'] },
  )
  .map((some) => ({ partition: 0, ...some }))

const produce: fc.Arbitrary<ProduceRequest> = fc.record({
  acks: fc.constantFrom(-1, 0, 1),
  timeout: fc.nat(60_000),
  topicData: fc.array(
    fc.record({
      topic: text,
      partitions: fc.array(
        fc.record({ partition: fc.nat(1_000), messages: fc.array(message, { minLength: 1, maxLength: 20 }) }),
        { maxLength: 3 },
      ),
    }),
    { maxLength: 2 },
  ),
})

/** What kafkajs would have been given for the same messages. */
function asStock({ topicData, ...request }: ProduceRequest): object {
  const toStock = ({ timestampMs, ...rest }: OutgoingMessage) =>
    timestampMs === undefined ? rest : { ...rest, timestamp: `${timestampMs}` }
  return {
    ...request,
    producerId: -1,
    topicData: topicData.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((some) => ({ ...some, messages: some.messages.map(toStock) })),
    })),
  }
}

async function expectSame(request: ProduceRequest, head: { correlationId: number; clientId: string }) {
  vi.useFakeTimers({ toFake: ['Date'] })
  try {
    const ours = await frameRequest({ ...head, request: produceRequest(request) })
    const theirs = await stockFrame({ ...head, request: stockProduce(asStock(request)) })
    expect(ours.buffer.equals(theirs.buffer)).toBe(true)
    expect(ours.size()).toBe(theirs.size())
  } finally {
    vi.useRealTimers()
  }
}

test('a produce request has the very bytes that kafkajs gives it', async () => {
  await fc.assert(
    fc.asyncProperty(produce, fc.nat(), text, (request, correlationId, clientId) =>
      expectSame(request, { correlationId, clientId }),
    ),
    { numRuns: 1_000 },
  )
})

test('so has one whose values are longer than a varint byte can say', async () => {
  const messages = [0, 63, 64, 8_191, 8_192, 1_048_576].map((length) => ({
    partition: 3,
    key: null,
    value: Buffer.alloc(length, 7),
  }))
  const topicData = [{ topic: 't', partitions: [{ partition: 3, messages }] }]
  await expectSame({ acks: -1, timeout: 30_000, topicData }, { correlationId: 1, clientId: 'c' })
})

test('what this encoder cannot write it refuses, rather than write something else', async () => {
  const request = { acks: -1, timeout: 1, topicData: [] }
  await expect(produceRequest({ ...request, compression: 1 }).encode()).rejects.toThrow('compress')
  await expect(produceRequest({ ...request, transactionalId: 'x' }).encode()).rejects.toThrow('transactions')
})

test('the checksum is CRC-32C', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
})

test('messages are grouped as kafkajs groups them, in their order', () => {
  const some = fc.array(fc.record({ partition: fc.nat(5), key: fc.constant(null), value: bytes(3) }))
  const partitioner = ({ message }: { message: { partition: number } }) => message.partition
  fc.assert(
    fc.property(some, fc.array(fc.constant({}), { maxLength: 2 }), (messages, partitionMetadata) => {
      const ours = groupByPartition({ partitionMetadata, messages: toParcels(messages) })
      expect(ours).toEqual(stockGrouping({ topic: 't', partitionMetadata, messages, partitioner }))
    }),
  )
})

test('kafkajs uses ours', () => {
  const require = createRequire(import.meta.url)
  expect(require('kafkajs/src/producer/groupMessagesPerPartition.js')).toBe(groupByPartition)
  expect(require('kafkajs/src/protocol/requests/produce/v3/request.js')).toBe(produceRequest)
  expect(require('kafkajs/src/protocol/request.js')).toBe(frameRequest)
})
