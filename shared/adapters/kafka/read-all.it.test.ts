import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { readAll } from './read-all.ts'
import { scratchTopic, textMessage } from './scratch-topic.kit.ts'

const soon = () => AbortSignal.timeout(20_000)

test('all that a topic held when the reading began is read once, over many requests and empty partitions', async () => {
  await using scratch = await scratchTopic(3, { 'cleanup.policy': 'compact' })
  const large = 'x'.repeat(50_000)
  await scratch.write(Array.from({ length: 60 }, (_, i) => textMessage(i % 2, `${i} ${large}`)))
  const seen: string[] = []
  await readAll(scratch.connection, scratch.topic, {
    onMessage: (_, { value }) => void seen.push(`${value}`.split(' ')[0]!),
    signal: soon(),
    deadlineMs: 20_000,
  })
  expect(seen.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i))
})

test('who knows where to begin gets only what follows, each message after the one before was taken', async () => {
  await using scratch = await scratchTopic(3)
  await scratch.write(Array.from({ length: 30 }, (_, i) => textMessage(i % 3, `${i}`)))
  const seen: string[] = []
  const gone: number[] = []
  let taking = 0
  await readAll(scratch.connection, scratch.topic, {
    from: new Map([
      [0, 8],
      [1, 10],
      [2, 99],
    ]),
    onGone: (partition) => void gone.push(partition),
    onMessage: async (_, { value }) => {
      expect(taking++).toBe(0)
      await nextTurn()
      seen.push(`${value}`)
      taking--
    },
    signal: soon(),
    deadlineMs: 20_000,
  })
  expect(gone).toEqual([2])
  const all = Array.from({ length: 10 }, (_, i) => 3 * i + 2) // 99 is not in the log: all is read
  expect(seen.map(Number).sort((a, b) => a - b)).toEqual([...all, 24, 27].sort((a, b) => a - b))
})

test('an empty topic is read at once', async () => {
  await using scratch = await scratchTopic(2)
  const onMessage = () => expect.unreachable()
  await readAll(scratch.connection, scratch.topic, { onMessage, signal: soon(), deadlineMs: 20_000 })
})

test.each([
  ['is not complete in time', { deadlineMs: 1 }],
  ['stands still', { standstillMs: 1 }],
])('a reading that %s is an error, never a short answer', async (_, limit) => {
  await using scratch = await scratchTopic(1)
  await scratch.write([textMessage(0, 'a')])
  const reading = readAll(scratch.connection, scratch.topic, {
    onMessage() {},
    signal: soon(),
    ...limit,
  })
  await expect(reading).rejects.toMatchObject({ code: 'DEADLINE' })
})

test('a topic that is not there is named', async () => {
  await using scratch = await scratchTopic(1)
  const reading = readAll(scratch.connection, `${scratch.topic}-not`, {
    onMessage() {},
    signal: soon(),
    deadlineMs: 20_000,
  })
  await expect(reading).rejects.toMatchObject({ code: 'TOPIC_MISSING' })
})
