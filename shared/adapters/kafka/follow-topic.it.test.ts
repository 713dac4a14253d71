import { systemClock } from '@freshet/stage/clock.ts'
import { expect, test, vi } from 'vitest'
import { withAdmin } from './connect.ts'
import { followTopic } from './follow-topic.ts'
import { createLed } from './kafkajs/create-led.ts'
import { scratchTopic, textMessage } from './scratch-topic.kit.ts'

test('a follower tells when all that was there is heard, and hears what comes then, each once', async () => {
  await using scratch = await scratchTopic(2)
  await scratch.write([
    textMessage(0, 'old', 1_000_000),
    textMessage(0, 'a', 2_000_000),
    textMessage(1, 'b', 2_000_000),
  ])
  const story: string[] = []
  const stop = new AbortController()
  const following = followTopic(
    {
      ...{ connection: scratch.connection, topic: scratch.topic, sinceMs: 1_500_000, gatherMs: 100 },
      ...{ clock: systemClock, log: scratch.log, otherwise: 'the test fails' },
      onMessage: (_, { value }) => void story.push(`${value}`),
      onUpToDate: () => void story.push('up to date'),
    },
    stop.signal,
  )
  await vi.waitUntil(() => story.length === 3, { timeout: 20_000 })
  await scratch.write([textMessage(1, 'c')])
  await vi.waitUntil(() => story.length === 4, { timeout: 20_000 })
  stop.abort()
  await following
  expect([...story.slice(0, 2).sort(), ...story.slice(2)]).toEqual(['a', 'b', 'up to date', 'c'])
})

test('a follower hears all of a topic that was made anew, and is told that its offsets begin again', async () => {
  await using scratch = await scratchTopic(1)
  await scratch.write(Array.from({ length: 9 }, (_, i) => textMessage(0, `old ${i}`)))
  const story: string[] = []
  const stop = new AbortController()
  const following = followTopic(
    {
      ...{ connection: scratch.connection, topic: scratch.topic, sinceMs: 0, gatherMs: 100 },
      ...{ clock: systemClock, log: scratch.log, otherwise: 'the test fails' },
      onMessage: (_, { value }) => void story.push(`${value}`),
      onOutside: (_, { offset, high }) => void story.push(`from ${offset}, less than 9: ${high < 9}`),
    },
    stop.signal,
  )
  await vi.waitUntil(() => story.length === 9, { timeout: 20_000 })
  await scratch.remake()
  await scratch.write([textMessage(0, 'a'), textMessage(0, 'b')])
  await vi.waitUntil(() => story.includes('b'), { timeout: 40_000 })
  stop.abort()
  await following
  expect(story.slice(9)).toEqual(['from 0, less than 9: true', 'a', 'b'])
})

test('a follower outlives a topic that is not there, and is up to date at once with an empty one', async () => {
  await using scratch = await scratchTopic(1)
  const complaints: string[] = []
  const log = { ...scratch.log, warn: (line: string) => void complaints.push(line) }
  const topic = `${scratch.topic}-later`
  const stop = new AbortController()
  const following = followTopic(
    {
      ...{ connection: scratch.connection, topic, sinceMs: 0, gatherMs: 100, clock: systemClock, log },
      otherwise: 'nobody hears',
      onMessage: () => expect.unreachable(),
      onUpToDate: () => stop.abort(),
    },
    stop.signal,
  )
  await vi.waitUntil(() => complaints.length > 0, { timeout: 20_000 })
  const signal = AbortSignal.timeout(20_000)
  await withAdmin(scratch.connection, { doing: 'creating', signal }, (admin) =>
    createLed(admin, [{ topic, numPartitions: 1 }], signal),
  )
  await following
  expect(complaints).toEqual([`${topic} cannot be followed: nobody hears`])
  await withAdmin(scratch.connection, { doing: 'deleting', signal }, (admin) =>
    admin.deleteTopics({ topics: [topic] }),
  )
})
