/** infra/access/kafka-acls.sh: on a Kafka that keeps to it, a whole pipeline does its work, each service as its own user. */
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import { checkTopics, createTopics } from '@freshet/adapters/kafka/topics.ts'
import { readFlights } from '@freshet/demo/flights.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import { heartbeatRecord } from '@freshet/records/heartbeat.ts'
import { TOPICS, type TopicName, topicName } from '@freshet/records/topics.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { Stack } from '../stack.ts'
import { until } from '../until.ts'
import { kafkaRules } from './kafka-rules.ts'
import { SecuredKafka } from './secured-kafka.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 300_000 })

const SERVICES = ['poller', 'scorer', 'gateway', 'watchdog'] as const
const USERS = [...SERVICES, 'bootstrap', 'operator']
const soon = () => AbortSignal.timeout(60_000)

let kafka: SecuredKafka | undefined
let whyNot = ''
beforeAll(async () => {
  try {
    kafka = await SecuredKafka.start(USERS.map((user) => `freshet-${user}`))
  } catch (error) {
    if (!isFreshetError(error, 'TOOL_MISSING') && !isFreshetError(error, 'DOWNLOAD_FAILED')) throw error
    whyNot = error.message
  }
})
beforeEach(({ skip }) => {
  if (kafka === undefined) skip(whyNot)
})
afterAll(() => kafka?.[Symbol.asyncDispose]())

async function read(user: string, pipeline: string, topic: TopicName): Promise<Buffer[]> {
  const values: Buffer[] = []
  await readAll(kafka!.connectionOf(`freshet-${user}`), topicName(pipeline, topic), {
    onMessage: (_, { value }) => void (value && values.push(value)),
    signal: soon(),
    deadlineMs: 30_000,
  })
  return values
}

async function write(user: string, pipeline: string, topic: TopicName): Promise<void> {
  const options = { clock: systemClock, log: quietLog, deadlineMs: 10_000 }
  await using producer = new Producer(kafka!.connectionOf(`freshet-${user}`), options)
  const message = { partition: 0, key: Buffer.from('k'), value: Buffer.from('v') }
  await producer.send(topicName(pipeline, topic), [message], soon())
}

test('changes, deletes, scores, heartbeats and alerts go their way; nobody is refused anything', async () => {
  await using stack = await Stack.open({ ...kafka!.envOf(), FRESHET_SWEEP_PAUSE_SECONDS: '0.5' })
  const { pipeline } = stack.settings
  await kafka!.allow(kafkaRules(pipeline), soon())
  for (const name of SERVICES) stack.envOf[name] = kafka!.envOf(`freshet-${name}`)
  stack.start(...SERVICES)
  const flights = (await readFlights()).slice(0, 50)
  await stack.write(Object.fromEntries(flights.map(({ id, document }) => [id, document])))
  await stack.conserved({ giveUpMs: 90_000 })
  await stack.client.delete({ index: stack.index, id: flights[0]!.id }) // found by a sweep, which asks where groups stand
  await stack.conserved({ giveUpMs: 90_000 })
  await until('all services are heard, by one who may', async () => {
    const beats = (await read('operator', pipeline, 'heartbeats')).map((value) =>
      heartbeatRecord.decode(value),
    )
    return new Set(beats.map(({ service }) => service)).size === SERVICES.length
  })
  await until('a watchdog speaks', async () => (await read('operator', pipeline, 'control')).length > 0)
  for (const name of SERVICES)
    expect(stack.output[name] ?? '', name).not.toMatch(/UNAUTHORIZED|not authorized/i)
})

test('bootstrap makes the topics; a service does not, and reads and writes no topic of others', async () => {
  const pipeline = 'alone'
  await kafka!.allow(kafkaRules(pipeline), soon())
  const settings = { ...kafka!.connectionOf().settings, partitions: 1 }
  await expect(
    createTopics(kafka!.connectionOf('freshet-scorer'), pipeline, settings, soon()),
  ).rejects.toMatchObject({
    code: 'KAFKA_UNAUTHORIZED',
  })
  const made = await createTopics(kafka!.connectionOf('freshet-bootstrap'), pipeline, settings, soon())
  expect(made.length).toBe(Object.keys(TOPICS).length)
  for (const user of ['poller', 'scorer', 'watchdog'])
    await checkTopics(kafka!.connectionOf(`freshet-${user}`), pipeline, soon())
  await write('poller', pipeline, 'changes')
  expect(await read('scorer', pipeline, 'changes')).toHaveLength(1)
  const refused = { code: 'KAFKA_UNAUTHORIZED' }
  await expect(write('scorer', pipeline, 'changes')).rejects.toMatchObject(refused)
  await expect(write('poller', pipeline, 'scores')).rejects.toMatchObject(refused)
  await expect(write('gateway', pipeline, 'control')).rejects.toMatchObject(refused)
  await expect(read('gateway', pipeline, 'changes')).rejects.toMatchObject(refused)
})
