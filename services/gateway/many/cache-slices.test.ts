import type { ScoreSlice } from '@freshet/adapters/redis/redis-score-reader.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import { Breaker } from '@freshet/stage/breaker.ts'
import { expect, test } from 'vitest'
import { stored } from '../app.kit.ts'
import { CacheSlices } from './cache-slices.ts'

const keys = Array.from({ length: 10 }, (_, i) => `key-${i}`)
const soon = () => ({ acceptedAtMs: performance.now(), endsAtMs: performance.now() + 10_000 })
const scoreOf = (key: string): StoredScore => ({ ...stored, key })

/** A slice that has whatever is not named otherwise. */
const sliceOf = (
  asked: readonly string[],
  odd: Record<string, () => StoredScore | 'filling' | undefined> = {},
): ScoreSlice => ({
  scoreAt: (at) => (odd[asked[at]!] ?? (() => scoreOf(asked[at]!)))(),
})

interface World {
  ready?: boolean
  behind?: boolean
  budgetMs?: number
  breaker?: Breaker
  get?: (keys: readonly string[]) => Promise<ScoreSlice>
}

/** Over a cache whose slices have four keys, those of even numbers apart from the others. */
function slicesOver({
  ready = true,
  behind = false,
  budgetMs = 5_000,
  get = async (asked) => sliceOf(asked),
  ...world
}: World) {
  const asked: (readonly string[])[] = []
  const breaker = world.breaker ?? new Breaker({ misses: 2, restMs: 60_000 })
  const reader = {
    ready,
    slicesOf: (all: readonly string[]) =>
      [0, 1].flatMap((half) => {
        const places = [...all.keys()].filter((at) => at % 2 === half)
        return [places.slice(0, 4), places.slice(4)].filter((slice) => slice.length > 0)
      }),
    getSlice(slice: readonly string[]) {
      asked.push(slice)
      return get(slice)
    },
  }
  const cache = new CacheSlices(reader, { budgetMs, breaker, loop: { isBehind: () => behind } })
  const ask = async (deadline = soon()) => {
    const heard = await cache.ask(keys, deadline)
    return keys.map((_, at) => heard(at))
  }
  return { ask, asked, breaker, cache }
}

test('every key is asked for once, in slices, and hears of itself', async () => {
  const { ask, asked } = slicesOver({})
  const said = await ask()
  expect(said).toEqual(keys.map((key) => ({ kind: 'has', score: scoreOf(key) })))
  expect(asked.flat().sort()).toEqual(keys)
  expect(asked).toHaveLength(4)
})

test('nothing, not yet, and not readable are three things', async () => {
  const odd = {
    'key-4': () => {
      throw new FreshetError('REDIS_WRONG_TYPE', 'a list')
    },
    'key-1': () => undefined,
    'key-2': () => 'filling' as const,
    'key-3': () => {
      throw new FreshetError('RECORD_VERSION', 'from the future')
    },
  }
  const { ask, breaker } = slicesOver({ get: async (asked) => sliceOf(asked, odd) })
  expect((await ask()).slice(0, 5)).toEqual([
    { kind: 'has', score: scoreOf('key-0') },
    { kind: 'has nothing' },
    { kind: 'was not heard', reason: 'cache_filling' },
    { kind: 'was not heard', reason: 'cache_unreadable' },
    { kind: 'was not heard', reason: 'cache_unreadable' },
  ])
  expect(breaker.admit(performance.now())).not.toBe(0)
})

test('a slice that does not come within the budget was not heard; those that came stand', async () => {
  const get = (asked: readonly string[]) =>
    asked.includes('key-0') ? new Promise<ScoreSlice>(() => {}) : Promise.resolve(sliceOf(asked))
  const { ask } = slicesOver({ get, budgetMs: 20 })
  const late = { kind: 'was not heard', reason: 'cache_late' }
  const said = await ask()
  expect([0, 2, 4, 6].map((at) => said[at])).toEqual([late, late, late, late])
  expect([1, 3, 5, 7, 8, 9].map((at) => said[at]!.kind)).toEqual(Array(6).fill('has'))
})

test('a slice that comes after that changes nothing', async () => {
  const { promise, resolve } = Promise.withResolvers<ScoreSlice>()
  const cache = slicesOver({ get: () => promise, budgetMs: 10 })
  const heard = await cache.ask()
  resolve(sliceOf(keys))
  await promise
  expect(heard.every(({ kind }) => kind === 'was not heard')).toBe(true)
})

test('a cache of which nothing comes is cut off, for single keys too', async () => {
  const refuses = () => Promise.reject(new FreshetError('REDIS_REFUSED', 'no'))
  const { ask, breaker, asked } = slicesOver({ get: refuses })
  const refused = { kind: 'was not heard', reason: 'cache_refused' }
  expect(await ask()).toEqual(keys.map(() => refused))
  expect(await ask()).toEqual(keys.map(() => refused))
  expect(breaker.admit(performance.now())).toBe(0)
  const before = asked.length
  expect(await ask()).toEqual(keys.map(() => ({ kind: 'was not heard', reason: 'cache_cut_off' })))
  expect(asked).toHaveLength(before)
})

test.each([
  ['refuses', () => Promise.reject(new FreshetError('REDIS_REFUSED', 'no')), 'cache_refused'],
  ['is away', () => Promise.reject(new FreshetError('REDIS_UNREACHABLE', 'no')), 'cache_unreachable'],
  ['hangs', () => new Promise<ScoreSlice>(() => {}), 'cache_late'],
] as const)('one master of a cluster that %s cuts off none of the others', async (_, fails, reason) => {
  const get = (asked: readonly string[]) =>
    asked.includes('key-0') ? fails() : Promise.resolve(sliceOf(asked))
  const { ask, breaker } = slicesOver({ get, budgetMs: 20 })
  for (let i = 0; i < 4; i++) {
    const said = await ask()
    expect(said[0]).toEqual({ kind: 'was not heard', reason })
    expect(said[1]).toMatchObject({ kind: 'has' })
  }
  expect(breaker.admit(performance.now())).not.toBe(0)
})

test.each([
  ['cache_unreachable', { ready: false }],
  ['overloaded', { behind: true }],
  ['deadline', {}],
] as const)('%s: nobody is asked', async (reason, options) => {
  const { ask, asked } = slicesOver(options)
  const over = { acceptedAtMs: 0, endsAtMs: performance.now() }
  expect(await ask(reason === 'deadline' ? over : soon())).toEqual(
    keys.map(() => ({ kind: 'was not heard', reason })),
  )
  expect(asked).toEqual([])
})

test('what the caller cut short says nothing about the cache', async () => {
  const { ask, breaker } = slicesOver({ get: () => new Promise(() => {}) })
  for (let i = 0; i < 3; i++) await ask({ acceptedAtMs: performance.now(), endsAtMs: performance.now() + 10 })
  expect(breaker.admit(performance.now())).not.toBe(0)
})

test('of no keys nobody is asked, nobody is waited for, and nothing is held against the cache', async () => {
  const breaker = new Breaker({ misses: 1, restMs: 60_000 })
  const { cache, ask, asked } = slicesOver({ breaker, budgetMs: 1 })
  for (let i = 0; i < 3; i++) await cache.ask([], soon())
  expect(asked).toEqual([])
  await ask()
  expect(asked).not.toEqual([]) // it is not cut off
})
