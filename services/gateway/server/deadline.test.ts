import { Breaker } from '@freshet/stage/breaker.ts'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { gateway } from '../app.kit.ts'
import { createApp } from '../app.ts'
import { CacheRung } from '../ladder/cache-rung.ts'
import { Ladder } from '../ladder/ladder.ts'
import type { Live } from '../live/live-rung.ts'
import {
  asJson,
  dial,
  prediction,
  request,
  statusesIn,
  turnsUntil,
  twoWays,
  withKey,
} from './plain/plain.kit.ts'

/** Time passes only where a test lets it; sockets and turns of the loop go on. */
beforeEach(() => {
  const toFake = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] as const
  vi.useFakeTimers({ toFake: [...toFake] })
  onTestFinished(() => void vi.useRealTimers())
})

/** A cache that never answers, and nothing beside it. */
function silentCache(): Ladder {
  const reader = { ready: true, get: () => new Promise<undefined>(() => undefined) }
  const breaker = new Breaker({ misses: 20, restMs: 250 })
  const cache = new CacheRung(reader, { budgetMs: 20, breaker, loop: { isBehind: () => false } })
  return new Ladder(cache, { ready: true, get: () => undefined }, { default: 3, cacheKeepsAll: true })
}

/** A model that tells until when it may work, and never answers before it is let. */
function heldModel() {
  const asked: { endsAtMs: number; answer: (live: Live) => void }[] = []
  const live = (_: unknown, endsAtMs: number) =>
    new Promise<Live>((answer) => void asked.push({ endsAtMs, answer }))
  return { live, asked }
}

const SCORED: Live = { kind: 'scored', outputs: { delay: 7 }, model: 'delay@2' }
/** Of each deadline, that is left for the way out. */
const RESERVE_MS = 2
/** What is not whole by then goes to node:http. */
const REST_WITHIN_MS = 5
const BODY = '{"document":{"a":1}}'

/** For what would happen now, if it did. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('a caller can lower its deadline', () => {
  const lookups = [
    ['x-deadline-ms', '/v1/scores/a', { 'x-deadline-ms': '10' }],
    ['?deadline_ms', '/v1/scores/a?deadline_ms=10', {}],
  ] as const

  test.each(lookups)('by %s: the app waits for no cache beyond it', async (_, path, headers) => {
    const app = createApp({ ...gateway({}).parts, ladder: silentCache() })
    const replies: Response[] = []
    void Promise.resolve(app.request(path, { headers })).then((reply) => replies.push(reply))
    vi.advanceTimersByTime(10 - RESERVE_MS)
    await turnsUntil(() => replies.length === 1)
    expect(await replies[0]!.json()).toMatchObject({ source: 'default', score: 3, reason: 'cache_late' })
  })

  test.each(lookups)('by %s: nor is it waited for on either way in', async (_, path, headers) => {
    await using ways = await twoWays({ ladder: silentCache() })
    for (const { server, inHand } of ways.each) {
      const { socket, received } = await dial(server)
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
      socket.write(request(path, [...withKey, ...lines]))
      await turnsUntil(() => inHand.count === 1)
      vi.advanceTimersByTime(10 - RESERVE_MS)
      await turnsUntil(() => received().includes('"reason":"cache_late"'))
      socket.destroy()
    }
  })

  const asks = [
    ['nothing', asJson, 100],
    ['50 ms', [...asJson, 'x-deadline-ms: 50'], 50],
    ['500 ms', [...asJson, 'x-deadline-ms: 500'], 100],
  ] as const

  test.each(asks)('asked for %s, the model may work until then', async (_, headers, deadlineMs) => {
    const { live, asked } = heldModel()
    await using ways = await twoWays({ live })
    for (const { server } of ways.each) {
      const { socket, received } = await dial(server)
      const sentAtMs = performance.now()
      socket.write(prediction(BODY, headers))
      await turnsUntil(() => asked.length === 1)
      const { endsAtMs, answer } = asked.pop()!
      expect(endsAtMs - sentAtMs).toBe(deadlineMs - RESERVE_MS)
      answer(SCORED)
      await turnsUntil(() => statusesIn(received())[0] === '200')
      socket.destroy()
    }
    expect(ways.plain()).toBe(1)
  })

  test.each(asks)(
    'asked for %s, a body that does not all come is refused then',
    async (_, headers, deadlineMs) => {
      const bodyReserveMs = Math.max(RESERVE_MS, Math.min(10, deadlineMs / 10))
      await using ways = await twoWays()
      for (const { name, server, inHand } of ways.each) {
        const { socket, received } = await dial(server)
        const waits = vi.getTimerCount()
        socket.write(prediction(BODY, headers).slice(0, -1))
        await turnsUntil(() => vi.getTimerCount() > waits)
        if (name === 'plain') vi.advanceTimersByTime(REST_WITHIN_MS)
        await turnsUntil(() => inHand.count === 1 && vi.getTimerCount() > waits)
        const leftMs = deadlineMs - bodyReserveMs - (name === 'plain' ? REST_WITHIN_MS : 0)
        vi.advanceTimersByTime(leftMs - 1)
        await someTurns()
        expect(received()).toBe('')
        vi.advanceTimersByTime(1)
        await turnsUntil(() => statusesIn(received())[0] === '408')
        expect(received()).toContain('"code":"DEADLINE"')
        socket.destroy()
      }
    },
  )
})

describe('what a request waits for before it is whole is of its time', () => {
  test('a body behind its head has what is left', async () => {
    const { live, asked } = heldModel()
    await using ways = await twoWays({ live })
    for (const { server } of ways.each) {
      const { socket, received } = await dial(server)
      const waits = vi.getTimerCount()
      const sentAtMs = performance.now()
      socket.write(prediction(BODY).slice(0, -1))
      await turnsUntil(() => vi.getTimerCount() > waits)
      vi.advanceTimersByTime(REST_WITHIN_MS - 1)
      socket.write(BODY.slice(-1))
      await turnsUntil(() => asked.length === 1)
      const { endsAtMs, answer } = asked.pop()!
      expect(endsAtMs - sentAtMs).toBe(100 - RESERVE_MS)
      answer(SCORED)
      await turnsUntil(() => statusesIn(received())[0] === '200')
      socket.destroy()
    }
    expect(ways.plain()).toBe(1)
  })

  test('a request that is sent before the one before it is answered has what is left', async () => {
    const { live, asked } = heldModel()
    await using ways = await twoWays({ live })
    for (const { server } of ways.each) {
      const { socket, received } = await dial(server)
      const sentAtMs = performance.now()
      socket.write(prediction(BODY) + prediction(BODY))
      await turnsUntil(() => asked.length > 0)
      vi.advanceTimersByTime(50)
      asked[0]!.answer(SCORED)
      await turnsUntil(() => asked.length === 2)
      expect(asked.map(({ endsAtMs }) => endsAtMs - sentAtMs)).toEqual([98, 98])
      asked[1]!.answer(SCORED)
      await turnsUntil(() => statusesIn(received()).length === 2)
      asked.length = 0
      socket.destroy()
    }
    expect(ways.plain()).toBe(1)
  })

  test('a head that comes slowly is none of it: its request begins when it is whole', async () => {
    const { live, asked } = heldModel()
    await using ways = await twoWays({ live })
    for (const { server } of ways.each) {
      const { socket, received } = await dial(server)
      const asking = prediction(BODY)
      const waits = vi.getTimerCount()
      socket.write(asking.slice(0, 40))
      await turnsUntil(() => server === ways.alone || vi.getTimerCount() > waits)
      vi.advanceTimersByTime(300)
      await someTurns()
      const wholeAtMs = performance.now()
      socket.write(asking.slice(40))
      await turnsUntil(() => asked.length === 1)
      const { endsAtMs, answer } = asked.pop()!
      expect(endsAtMs - wholeAtMs).toBe(100 - RESERVE_MS)
      answer(SCORED)
      await turnsUntil(() => statusesIn(received())[0] === '200')
      socket.destroy()
    }
    expect(ways.plain()).toBe(0)
  })
})
