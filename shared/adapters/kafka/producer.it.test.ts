import { systemClock } from '@freshet/stage/clock.ts'
import { expect, test } from 'vitest'
import { connectKafka, withAdmin } from './connect.ts'
import { type OutgoingMessage, Producer } from './producer.ts'
import { scratchTopic } from './scratch-topic.kit.ts'

const soon = () => AbortSignal.timeout(20_000)

const ends = async ({ connection, topic }: Awaited<ReturnType<typeof scratchTopic>>) =>
  (
    await withAdmin(connection, { doing: 'reading', signal: AbortSignal.timeout(20_000) }, (admin) =>
      admin.fetchTopicOffsets(topic),
    )
  )
    .sort((a, b) => a.partition - b.partition)
    .map(({ high }) => Number(high))

test('more messages than fit into one request are all written, each to its partition', async () => {
  await using scratch = await scratchTopic(2)
  await scratch.write(
    Array.from({ length: 3_000 }, (_, i) => ({
      partition: i % 3 === 0 ? 0 : 1,
      key: null,
      value: Buffer.alloc(400),
    })),
  )
  expect(await ends(scratch)).toEqual([1_000, 2_000])
})

test('a message above the topic’s limit is refused by its key, and the producer works on', async () => {
  await using scratch = await scratchTopic(1, { 'max.message.bytes': '10000' })
  const large = { partition: 0, key: Buffer.from('big-doc'), value: Buffer.alloc(20_000) }
  await expect(scratch.write([large])).rejects.toMatchObject({
    code: 'KAFKA_MESSAGE_TOO_LARGE',
    message: expect.stringContaining('"big-doc"'),
  })
  await scratch.write([{ ...large, value: Buffer.alloc(10) }])
  expect(await ends(scratch)).toEqual([1])
})

test('messages that are small enough each are written, although together they exceed the topic’s limit', async () => {
  await using scratch = await scratchTopic(1, { 'max.message.bytes': '10000' })
  const messages = Array.from(
    { length: 8 },
    (): OutgoingMessage => ({ partition: 0, key: null, value: Buffer.alloc(4_000) }),
  )
  await scratch.write(messages)
  expect(await ends(scratch)).toEqual([8])
})

test('a partition that the topic does not have is an error, not a success', async () => {
  await using scratch = await scratchTopic(1)
  await using producer = new Producer(scratch.connection, {
    clock: systemClock,
    log: scratch.log,
    deadlineMs: 2_000,
  })
  const sent = producer.send(scratch.topic, [{ partition: 7, key: null, value: Buffer.from('x') }], soon())
  await expect(sent).rejects.toMatchObject({ code: 'KAFKA_PRODUCE_DEADLINE' })
})

test('no broker at the address ends in the deadline, with the reason', async () => {
  await using scratch = await scratchTopic(1)
  const { settings, log } = scratch.connection
  const nowhere = connectKafka({ ...settings, brokers: ['127.0.0.1:1'] }, { clientId: 'test', log })
  await using producer = new Producer(nowhere, { clock: systemClock, log, deadlineMs: 2_000 })
  await expect(
    producer.send(scratch.topic, [{ partition: 0, key: null, value: Buffer.from('x') }], soon()),
  ).rejects.toMatchObject({ code: 'KAFKA_PRODUCE_DEADLINE', retryable: true })
})
