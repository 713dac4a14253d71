import { randomBytes } from 'node:crypto'
import { loadSettings } from '@freshet/config/load.ts'
import { TOPICS, type TopicName, topicName } from '@freshet/records/topics.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test, vi } from 'vitest'
import { connectKafka, type KafkaConnection, withAdmin } from './connect.ts'
import { createLed } from './kafkajs/create-led.ts'
import kafkajs from './kafkajs/kafkajs.ts'
import { readAll } from './read-all.ts'
import { scratchTopic } from './scratch-topic.kit.ts'
import { adviseOnTopics, checkTopics, createTopics } from './topics.ts'

const settings = { ...loadSettings({ env: process.env }).kafka, partitions: 3 }
const soon = () => AbortSignal.timeout(20_000)

function scratchPipeline() {
  const pipeline = `test${randomBytes(6).toString('hex')}`
  const connection = connectKafka(settings, { clientId: 'test', log: quietLog })
  const names = (Object.keys(TOPICS) as TopicName[]).map((name) => topicName(pipeline, name))
  return {
    pipeline,
    connection,
    names,
    async [Symbol.asyncDispose]() {
      await withAdmin(connection, { doing: 'deleting', signal: soon() }, async (admin) => {
        const there = new Set(await admin.listTopics())
        await admin.deleteTopics({ topics: names.filter((name) => there.has(name)) })
      })
    },
  }
}

const alter = (connection: KafkaConnection, topic: string, policy: string) =>
  withAdmin(connection, { doing: 'altering', signal: soon() }, (admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: topic,
          configEntries: [{ name: 'cleanup.policy', value: policy }],
        },
      ],
    }),
  )

test('topics just made pass the check, with the partitions that were asked for; making them again changes nothing', async () => {
  await using scratch = scratchPipeline()
  await createTopics(scratch.connection, scratch.pipeline, settings, soon())
  await createTopics(scratch.connection, scratch.pipeline, { ...settings, partitions: 5 }, soon())
  const partitions = await checkTopics(scratch.connection, scratch.pipeline, soon())
  expect(Object.fromEntries(partitions)).toMatchObject({ changes: 3, scores: 3, heartbeats: 1 })
  expect(partitions.size).toBe(Object.keys(TOPICS).length)
  expect(await adviseOnTopics(scratch.connection, scratch.pipeline, soon())).toEqual([])
})

test('a topic with the wrong cleanup policy is refused with the command that mends it', async () => {
  await using scratch = scratchPipeline()
  await createTopics(scratch.connection, scratch.pipeline, settings, soon())
  const changes = topicName(scratch.pipeline, 'changes')
  await alter(scratch.connection, changes, 'delete')
  const check = () =>
    checkTopics(scratch.connection, scratch.pipeline, soon()).catch((error: unknown) => error)
  const refusal = await vi.waitUntil(async () => {
    const answer = await check() // the broker takes a moment to apply what it has accepted
    return answer instanceof Error && answer
  })
  expect(refusal).toMatchObject({ code: 'TOPIC_POLICY' })
  expect(`${refusal}`).toMatch(`--entity-name ${changes} --add-config cleanup.policy=compact`)
})

test('a topic that is not there is named with the command that makes it', async () => {
  await using scratch = scratchPipeline()
  const refusal = await checkTopics(scratch.connection, scratch.pipeline, soon()).catch(
    (error: unknown) => error,
  )
  expect(refusal).toMatchObject({ code: 'TOPIC_MISSING' })
  expect(`${refusal}`).toMatch(/--create --topic \S+\.changes --partitions 3 --replication-factor 1/)
  expect(`${refusal}`).toMatch(/a pipeline of an older build .* `freshet bootstrap` makes them/)
})

test('a pipeline of an older build gets the topics that are new, and nothing else', async () => {
  await using scratch = scratchPipeline()
  const control = topicName(scratch.pipeline, 'control')
  const older = scratch.names.filter((name) => name !== control)
  const signal = soon()
  await withAdmin(scratch.connection, { doing: 'creating', signal }, (admin) =>
    createLed(
      admin,
      older.map((topic) => ({ topic, numPartitions: 1 })),
      signal,
    ),
  )
  expect(await createTopics(scratch.connection, scratch.pipeline, settings, soon())).toEqual([control])
})

test('heartbeats carry the time of the broker, whatever the clock of their producer says', async () => {
  await using scratch = await scratchTopic(1, TOPICS.heartbeats.settings)
  const fromMs = Date.now()
  const aDayAgoMs = fromMs - 86_400_000
  const message = { partition: 0, key: Buffer.from('poller/p'), value: Buffer.from('{}') }
  await scratch.write([{ ...message, timestampMs: aDayAgoMs }])
  const heard: number[] = []
  await readAll(scratch.connection, scratch.topic, {
    onMessage: (_, { timestampMs }) => void heard.push(timestampMs),
    ...{ signal: soon(), deadlineMs: 20_000 },
  })
  expect(heard).toHaveLength(1)
  expect(heard[0]).toBeGreaterThan(fromMs - 5_000)
})

test('heartbeats of an older build, which carry the time of their producer, are named with what mends it', async () => {
  await using scratch = scratchPipeline()
  const topic = topicName(scratch.pipeline, 'heartbeats')
  const signal = soon()
  await withAdmin(scratch.connection, { doing: 'creating', signal }, (admin) =>
    createLed(admin, [{ topic, numPartitions: 1 }], signal),
  )
  await createTopics(scratch.connection, scratch.pipeline, settings, soon())
  const [advice, ...more] = await adviseOnTopics(scratch.connection, scratch.pipeline, soon())
  expect(advice).toMatch(
    /heartbeats has message\.timestamp\.type=CreateTime, and should have LogAppendTime: kafka-configs\.sh .*--entity-name \S+\.heartbeats --add-config message\.timestamp\.type=LogAppendTime$/,
  )
  expect(more).toEqual([])
})

test('more replicas than brokers are refused, not waited for', async () => {
  await using scratch = scratchPipeline()
  const tooMany = { ...settings, replicationFactor: 9 }
  await expect(createTopics(scratch.connection, scratch.pipeline, tooMany, soon())).rejects.toMatchObject({
    code: 'KAFKA_REFUSED',
  })
})

test('no broker at the address is an error that a retry may help', async () => {
  const nowhere = connectKafka({ ...settings, brokers: ['127.0.0.1:1'] }, { clientId: 'test', log: quietLog })
  await expect(checkTopics(nowhere, 'test', soon())).rejects.toMatchObject({
    code: 'KAFKA_UNREACHABLE',
    retryable: true,
  })
})
