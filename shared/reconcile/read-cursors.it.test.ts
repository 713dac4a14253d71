import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { connectKafka, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { createTopics } from '@freshet/adapters/kafka/topics.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { cursorRecord } from '@freshet/records/cursor.ts'
import { golden } from '@freshet/records/golden/golden.kit.ts'
import { TOPICS, type TopicName, topicName } from '@freshet/records/topics.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test, vi } from 'vitest'
import { readCursors } from './read-cursors.ts'

vi.setConfig({ testTimeout: 120_000 })
const soon = () => AbortSignal.timeout(45_000)

test('what is no cursor of a shard hides none that is, and a newer one is an error while it is the last', async () => {
  const pipeline = `t${randomBytes(6).toString('hex')}`
  const { kafka } = loadSettings({ env: process.env })
  const connection = connectKafka(kafka, { clientId: 'test', log: quietLog })
  await using producer = new Producer(connection, { clock: systemClock, log: quietLog, deadlineMs: 45_000 })
  await createTopics(connection, pipeline, kafka, soon())
  const write = (key: string, value: string | Buffer) =>
    producer.send(
      topicName(pipeline, 'cursors'),
      [
        {
          partition: partitionOf(Buffer.from(key), TOPICS.cursors.partitions),
          key: Buffer.from(key),
          value: Buffer.from(value),
        },
      ],
      soon(),
    )
  try {
    const cursor = cursorRecord.decode(golden('cursor.v2.txt'))
    const key = `${cursor.identity.indexUuid}/${cursor.shard}`
    await write(key, golden('cursor.v2.txt'))
    await write('hello', 'garbage')
    await write(key, 'garbage')
    expect([...(await readCursors(connection, pipeline, soon()))]).toEqual([[key, cursor]])
    await write(key, JSON.stringify({ ...cursor, version: 3 }))
    await expect(readCursors(connection, pipeline, soon())).rejects.toMatchObject({
      code: 'RECORD_VERSION',
      message: expect.stringMatching(/^\.cursors\[\d+\]@2 .*\/2: cursor version 3/),
    })
    await write(key, golden('cursor.v2.txt'))
    expect((await readCursors(connection, pipeline, soon())).size).toBe(1)
  } finally {
    const topics = (Object.keys(TOPICS) as TopicName[]).map((name) => topicName(pipeline, name))
    await withAdmin(connection, { doing: 'deleting', signal: soon() }, (admin) =>
      admin.deleteTopics({ topics }),
    )
  }
})
