import { Buffer } from 'node:buffer'
import type { OutgoingMessage } from '@freshet/adapters/kafka/producer.ts'
import { bytesOf } from '@freshet/adapters/kafka/send/split-requests.ts'
import { produceRequest } from '@freshet/adapters/kafka/wire/produce-request.ts'
import type { Change } from '@freshet/records/change.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { changeToMessage } from './change-to-message.ts'
import { ChangeMessages } from './changes-to-messages.ts'

const PARTITIONS = 4

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array))
const count = (max: number) => fc.nat(max)
const traced = fc.constant({ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' })

const page = fc.record({
  epoch: count(2 ** 48 - 1),
  capturedAtMs: fc.integer({ min: 1e12, max: 1e13 - 1 }),
  trace: fc.option(traced),
})
const one = fc.record({
  key: fc.oneof(bytes(80), bytes(1_024)),
  source: fc.option(fc.oneof(bytes(40), bytes(20_000))),
  documentVersion: count(Number.MAX_SAFE_INTEGER),
  primaryTerm: count(2 ** 32 - 1),
  seqNo: count(Number.MAX_SAFE_INTEGER),
})

async function requestOf(messages: readonly OutgoingMessage[]): Promise<Buffer> {
  const partitions = [{ partition: 0, messages }]
  return (await produceRequest({ acks: -1, timeout: 1, topicData: [{ topic: 't', partitions }] }).encode())
    .buffer
}

/** As in a page, where documents are views of one response. */
function inOneResponse(sources: readonly (Buffer | null)[]): (Buffer | null)[] {
  const response = Buffer.concat(sources.filter((source) => source !== null))
  let end = 0
  return sources.map((source) => (source === null ? null : response.subarray(end, (end += source.length))))
}

test('the changes of a page are the messages, byte by byte, that each of them is by itself', async () => {
  await fc.assert(
    fc.asyncProperty(
      page,
      fc.array(one, { minLength: 1, maxLength: 20 }),
      fc.boolean(),
      async (common, rows, together) => {
        const sources = rows.map(({ source }) => source)
        const lying = together ? inOneResponse(sources) : sources
        const changes = rows.map(({ key, documentVersion, primaryTerm, seqNo }, row): Change => {
          const revision = { documentVersion, epoch: common.epoch, primaryTerm, seqNo }
          return {
            key,
            revision,
            capturedAtMs: common.capturedAtMs,
            source: lying[row]!,
            trace: common.trace,
          }
        })
        const made = new ChangeMessages(common, 1, PARTITIONS)
        for (const change of changes) made.add(change)
        const single = changes.map((change) => changeToMessage(change, PARTITIONS))
        expect((await requestOf(made.list)).equals(await requestOf(single))).toBe(true)
        for (const [row, { partition, key, value, headers, timestampMs }] of made.list.entries()) {
          expect({ partition, key, value, headers, timestampMs }).toEqual(single[row])
          expect(Math.abs(bytesOf(made.list[row]!) - bytesOf(single[row]!))).toBeLessThan(16)
        }
      },
    ),
  )
})

test('a revision that a header has no place for is refused before anything is sent', () => {
  const made = new ChangeMessages({ epoch: 1, capturedAtMs: 1, trace: null }, 1, PARTITIONS)
  const revision = { documentVersion: 0, epoch: 1, primaryTerm: 2 ** 32, seqNo: 0 }
  const change = { key: Buffer.from('k'), revision, capturedAtMs: 1, source: null, trace: null }
  expect(() => made.add(change)).toThrow(/not a whole number of 32 bits/)
})

test('a message whose document may have become another is never written again', async () => {
  const made = new ChangeMessages({ epoch: 1, capturedAtMs: 1, trace: null }, 1, PARTITIONS)
  const revision = { documentVersion: 0, epoch: 1, primaryTerm: 1, seqNo: 0 }
  made.add({ key: Buffer.from('k'), revision, capturedAtMs: 1, source: Buffer.from('{}'), trace: null })
  made.release()
  await expect(requestOf(made.list)).rejects.toThrow('in Kafka already')
})
