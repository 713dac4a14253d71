import { loadSettings } from '@freshet/config/load.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import kafkajs, { type Kafka, type RecordMetadata } from 'kafkajs'
import { expect, test } from 'vitest'
import { connectKafka } from './connect.ts'
import { type OutgoingMessage, Producer } from './producer.ts'
import type { Parcel } from './send/parcel.ts'

/**
 * The guards against what kafkajs does when leaders move, with its producer played by a script: it cannot be brought
 * to lose messages on demand. The real one is in producer.it.test.ts.
 */
type Answer = (messages: OutgoingMessage[]) => RecordMetadata[] | Promise<RecordMetadata[]>

function scripted(...answers: Answer[]) {
  const sends: { client: number; values: string[] }[] = []
  const disconnected: number[] = []
  const script = [...answers]
  let clients = 0
  const newClient = () => {
    const client = ++clients
    return {
      producer: () => ({
        connect: async () => {},
        disconnect: async () => void disconnected.push(client),
        send: async ({ messages: parcels }: { messages: readonly Parcel[] }) => {
          const messages = parcels.flatMap((parcel) => parcel.messages)
          sends.push({ client, values: messages.map(({ value }) => `${value}`) })
          return await (script.shift() ?? written)(messages)
        },
      }),
    } as unknown as Kafka
  }
  const connection = {
    ...connectKafka(loadSettings({ env: {} }).kafka, { clientId: 'test', log: quietLog }),
    newClient,
  }
  const open = (deadlineMs = 10_000) =>
    new Producer(connection, { clock: systemClock, log: quietLog, deadlineMs })
  return { open, sends, disconnected }
}

const written: Answer = (messages) => acknowledge(messages)
const acknowledge = (messages: OutgoingMessage[], except: number[] = []) =>
  [...new Set(messages.map(({ partition }) => partition))]
    .filter((partition) => !except.includes(partition))
    .map((partition) => ({ topicName: 't', partition, errorCode: 0 }))
const failing = (type: string, retriable: boolean): Answer => {
  const answer = Object.assign(new Error(`the server says ${type}`), { type, code: 1, retriable })
  return () => Promise.reject(new kafkajs.KafkaJSProtocolError(answer))
}
const hanging: Answer = () => new Promise(() => {})

const message = (partition: number, value: string): OutgoingMessage => ({
  partition,
  key: Buffer.from(`key of ${value}`),
  value: Buffer.from(value),
})
const never = new AbortController().signal

test('messages of a partition that the response leaves out are sent again, the others are not', async () => {
  const { open, sends } = scripted((messages) => acknowledge(messages, [1]))
  await using producer = open()
  await producer.send('t', [message(0, 'a'), message(1, 'b'), message(2, 'c'), message(1, 'd')], never)
  expect(sends.map(({ values }) => values)).toEqual([
    ['a', 'b', 'd', 'c'],
    ['b', 'd'],
  ])
})

test('a partition that answers with an error code does not count as written', async () => {
  const { open, sends } = scripted(() => [{ topicName: 't', partition: 0, errorCode: 6 }])
  await using producer = open()
  await producer.send('t', [message(0, 'a')], never)
  expect(sends.length).toBe(2)
})

test('after an error the client is thrown away and the same messages go through a new one', async () => {
  const { open, sends, disconnected } = scripted(failing('NOT_ENOUGH_REPLICAS', true))
  await using producer = open()
  await producer.send('t', [message(0, 'a'), message(1, 'b')], never)
  expect(sends).toEqual([
    { client: 1, values: ['a', 'b'] },
    { client: 2, values: ['a', 'b'] },
  ])
  expect(disconnected).toEqual([1])
})

test('what a retry cannot help is told at once; a topic that is not known yet may be in a moment', async () => {
  const { open, sends } = scripted(
    failing('INVALID_REQUIRED_ACKS', false),
    failing('UNKNOWN_TOPIC_OR_PARTITION', true),
  )
  await using producer = open()
  await expect(producer.send('t', [message(0, 'a')], never)).rejects.toMatchObject({ code: 'KAFKA_REFUSED' })
  expect(sends.length).toBe(1)
  await producer.send('t', [message(0, 'b')], never)
  expect(sends.map(({ values }) => values)).toEqual([['a'], ['b'], ['b']])
})

test('brokers that stay away end in a deadline that names the last error and may be tried again', async () => {
  const failures = Array.from({ length: 100 }, () => failing('NOT_ENOUGH_REPLICAS', true))
  const { open } = scripted(...failures)
  await using producer = open(50)
  const refusal = await producer.send('t', [message(0, 'a')], never).catch((error: unknown) => error)
  expect(refusal).toMatchObject({ code: 'KAFKA_PRODUCE_DEADLINE', retryable: true })
  expect(`${refusal}`).toMatch(/NOT_ENOUGH_REPLICAS/)
})

test('brokers that say nothing at all end in the deadline too, and the next send is not held up', async () => {
  const { open, sends } = scripted(hanging)
  await using producer = open(50)
  await expect(producer.send('t', [message(0, 'a')], never)).rejects.toMatchObject({
    code: 'KAFKA_PRODUCE_DEADLINE',
  })
  await producer.send('t', [message(0, 'b')], never)
  expect(sends.at(-1)).toEqual({ client: 2, values: ['b'] })
})

test('a caller who gives up is let go at once', async () => {
  const { open } = scripted(hanging)
  await using producer = open(60_000)
  const caller = new AbortController()
  const sent = producer.send('t', [message(0, 'a')], caller.signal)
  caller.abort()
  await expect(sent).rejects.toMatchObject({ code: 'KAFKA_PRODUCE_DEADLINE' })
})

test('one request is in flight at a time', async () => {
  let inFlight = 0
  const counted: Answer = async (messages) => {
    expect(++inFlight).toBe(1)
    await Promise.resolve()
    inFlight--
    return acknowledge(messages)
  }
  const { open, sends } = scripted(counted, counted, counted)
  await using producer = open()
  await Promise.all(['a', 'b', 'c'].map((value) => producer.send('t', [message(0, value)], never)))
  expect(sends.map(({ values }) => values)).toEqual([['a'], ['b'], ['c']])
})

test('a batch that is too large as a whole is halved until each part is taken', async () => {
  const maxTwo: Answer = (messages) =>
    messages.length > 2 ? failing('MESSAGE_TOO_LARGE', false)(messages) : acknowledge(messages)
  const { open, sends } = scripted(maxTwo, maxTwo, maxTwo)
  await using producer = open()
  await producer.send(
    't',
    ['a', 'b', 'c', 'd'].map((value) => message(0, value)),
    never,
  )
  expect(sends.map(({ values }) => values.join(''))).toEqual(['abcd', 'ab', 'cd'])
})

test('a message that is too large by itself is refused at once, by its key', async () => {
  const notB: Answer = (messages) =>
    messages.some(({ value }) => `${value}` === 'b')
      ? failing('MESSAGE_TOO_LARGE', false)(messages)
      : acknowledge(messages)
  const { open } = scripted(notB, notB, notB, notB)
  await using producer = open()
  const refusal = await producer
    .send('t', [message(0, 'a'), message(1, 'b')], never)
    .catch((error: unknown) => error)
  expect(refusal).toMatchObject({ code: 'KAFKA_MESSAGE_TOO_LARGE', retryable: false })
  expect(`${refusal}`).toMatch(/"key of b".* t\[1\]/)
})
