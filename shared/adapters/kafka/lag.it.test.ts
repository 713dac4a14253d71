import { expect, test } from 'vitest'
import { withAdmin } from './connect.ts'
import { readLag } from './lag.ts'
import { scratchTopic } from './scratch-topic.kit.ts'

const soon = () => AbortSignal.timeout(20_000)
const aged = (partition: number, seconds: number) => ({
  partition,
  key: null,
  value: Buffer.from('x'),
  timestampMs: Date.now() - seconds * 1_000,
})

test('a group’s lag is told in records and in seconds, by partition', async () => {
  await using scratch = await scratchTopic(4)
  const { connection, topic, groupId } = scratch
  await scratch.write([aged(0, 7_200), aged(0, 3_600), aged(0, 60), aged(0, 30)])
  await scratch.write([aged(1, 500), aged(2, 86_400), aged(2, 300)])
  await withAdmin(connection, { doing: 'setting', signal: soon() }, (admin) =>
    admin.setOffsets({
      groupId,
      topic,
      partitions: [
        { partition: 0, offset: '2' },
        { partition: 1, offset: '1' },
      ],
    }),
  )
  const [behind, upToDate, fresh, empty] = await readLag(connection, { groupId, topic }, soon())
  expect(behind).toMatchObject({ partition: 0, committedOffset: 2, endOffset: 4, lagRecords: 2 })
  expect(behind!.lagSeconds).toBeGreaterThanOrEqual(60)
  expect(behind!.lagSeconds).toBeLessThan(60 * 1.1 + 20)
  expect(upToDate).toEqual({ partition: 1, committedOffset: 1, endOffset: 1, lagRecords: 0, lagSeconds: 0 })
  expect(fresh).toMatchObject({ partition: 2, committedOffset: null, endOffset: 2, lagRecords: 2 })
  expect(fresh!.lagSeconds).toBeGreaterThanOrEqual(86_400)
  expect(fresh!.lagSeconds).toBeLessThan(86_400 * 1.1 + 20)
  expect(empty).toMatchObject({ partition: 3, committedOffset: null, lagRecords: 0, lagSeconds: 0 })
})

test('a position that the log has lost counts from what is left', async () => {
  await using scratch = await scratchTopic(1)
  const { connection, topic, groupId } = scratch
  await scratch.write([aged(0, 100), aged(0, 90), aged(0, 80), aged(0, 70)])
  await withAdmin(connection, { doing: 'setting', signal: soon() }, (admin) =>
    admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '1' }] }),
  )
  await scratch.truncate(0, 3)
  const [lag] = await readLag(connection, { groupId, topic }, soon())
  expect(lag).toMatchObject({ committedOffset: 1, endOffset: 4, lagRecords: 1 })
})

test('a topic that is not there is named', async () => {
  await using scratch = await scratchTopic(1)
  const reading = readLag(scratch.connection, { groupId: 'g', topic: `${scratch.topic}-not` }, soon())
  await expect(reading).rejects.toMatchObject({ code: 'TOPIC_MISSING' })
})
