import { expect, test, vi } from 'vitest'
import { scratchTopic, textMessage } from './scratch-topic.kit.ts'
import { tail } from './tail.ts'

test('who follows a topic from a time sees what came since, and then what comes', async () => {
  await using scratch = await scratchTopic(1)
  await scratch.write([textMessage(0, 'old', 1_000_000), textMessage(0, 'recent', 2_000_000)])
  const seen: string[] = []
  const stop = new AbortController()
  const following = tail(scratch.connection, scratch.topic, {
    fromTimestampMs: 1_500_000,
    onMessage: (_, { value }) => void seen.push(`${value}`),
    signal: stop.signal,
  })
  await vi.waitUntil(() => seen.length === 1, { timeout: 20_000 })
  await scratch.write([textMessage(0, 'new')])
  await vi.waitUntil(() => seen.length === 2, { timeout: 20_000 })
  stop.abort()
  await following
  expect(seen).toEqual(['recent', 'new'])
})

test('nobody skips what a topic holds that was made anew behind the back of kafkajs', async () => {
  await using scratch = await scratchTopic(1)
  await scratch.write(Array.from({ length: 9 }, (_, i) => textMessage(0, `old ${i}`)))
  const story: string[] = []
  const stop = new AbortController()
  const isRemade = Promise.withResolvers<void>()
  const following = tail(scratch.connection, scratch.topic, {
    fromTimestampMs: 0,
    async onMessage(_, { value }) {
      story.push(`${value}`)
      if (story.length === 9) await isRemade.promise // it fetches nothing meanwhile, and then beyond the end
    },
    signal: stop.signal,
  })
  await vi.waitUntil(() => story.length === 9, { timeout: 20_000 })
  await scratch.remake()
  await scratch.write([textMessage(0, 'a'), textMessage(0, 'b')])
  isRemade.resolve()
  await vi.waitUntil(() => story.includes('b'), { timeout: 40_000 })
  stop.abort()
  await following
  expect(story.slice(9)).toEqual(['a', 'b'])
})
