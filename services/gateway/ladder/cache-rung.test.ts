import { FreshetError } from '@freshet/errors/errors.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import { Breaker } from '@freshet/stage/breaker.ts'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { deadlineOf } from '../server/deadline.ts'
import { type CacheReader, CacheRung } from './cache-rung.ts'

const late = { kind: 'was not heard', reason: 'cache_late' }
const cutOff = { kind: 'was not heard', reason: 'cache_cut_off' }

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A cache that answers each question when the test says so. */
class HandCache implements CacheReader {
  ready = true
  readonly asked: PromiseWithResolvers<StoredScore | undefined>[] = []

  get(): Promise<StoredScore | undefined> {
    const question = Promise.withResolvers<StoredScore | undefined>()
    this.asked.push(question)
    return question.promise
  }
}

function rungOver(cache: CacheReader, options: { isBehind?: boolean } = {}): CacheRung {
  return new CacheRung(cache, {
    budgetMs: 20,
    breaker: new Breaker({ misses: 2, restMs: 250 }),
    loop: { isBehind: () => options.isBehind ?? false },
  })
}

let questions = 0

/** Each for a key of its own: reads of one key are shared. */
function ask(rung: CacheRung, asked?: string, key = `UA-${questions++}`) {
  return rung.ask(key, deadlineOf(performance.now(), 100, asked))
}

test('a cache that answers in time is believed', async () => {
  const cache = new HandCache()
  const said = ask(rungOver(cache))
  await vi.advanceTimersByTimeAsync(19)
  cache.asked[0]!.resolve(undefined)
  expect(await said).toEqual({ kind: 'has nothing' })
})

test('nobody waits longer than the budget', async () => {
  const said = ask(rungOver(new HandCache()))
  await vi.advanceTimersByTimeAsync(21)
  expect(await said).toEqual(late)
})

test('a caller in a hurry waits less, and may ask for nothing but memory', async () => {
  const rung = rungOver(new HandCache())
  const hasty = ask(rung, '10')
  await vi.advanceTimersByTimeAsync(9)
  expect(await hasty).toEqual(late)
  expect(ask(rung, '2')).toEqual({ kind: 'was not heard', reason: 'deadline' })
})

test('callers in a hurry do not cut the cache off for the others', async () => {
  const cache = new HandCache()
  const rung = rungOver(cache)
  for (let i = 0; i < 5; i++) {
    const said = ask(rung, '10')
    await vi.advanceTimersByTimeAsync(10)
    expect(await said).toEqual(late)
  }
  ask(rung)
  expect(cache.asked).toHaveLength(6)
})

test('a cache that keeps failing is not asked, then tried by one, then trusted again', async () => {
  const cache = new HandCache()
  const rung = rungOver(cache)
  for (let i = 0; i < 2; i++) ask(rung)
  await vi.advanceTimersByTimeAsync(21)
  expect(ask(rung)).toEqual(cutOff)
  await vi.advanceTimersByTimeAsync(250)
  const trial = ask(rung)
  expect(ask(rung)).toEqual(cutOff)
  cache.asked[2]!.resolve(undefined)
  expect(await trial).toEqual({ kind: 'has nothing' })
  ask(rung)
  expect(cache.asked).toHaveLength(4)
})

test('a reply that comes after its time does not mend a breaker', async () => {
  const cache = new HandCache()
  const rung = rungOver(cache)
  for (let i = 0; i < 2; i++) ask(rung)
  await vi.advanceTimersByTimeAsync(21)
  for (const question of cache.asked) question.resolve(undefined)
  await vi.advanceTimersByTimeAsync(1)
  expect(ask(rung)).toEqual(cutOff)
})

test('many who ask for one key at once cost the cache one read, and its lateness counts once', async () => {
  const cache = new HandCache()
  const rung = rungOver(cache)
  const said = [1, 2, 3].map(() => ask(rung, undefined, 'hot'))
  expect(cache.asked).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(21)
  expect(await Promise.all(said)).toEqual([late, late, late])
  expect(ask(rung)).toBeInstanceOf(Promise)
})

test('without a connection, or behind a standstill of our own, nothing is waited for', () => {
  const away = Object.assign(new HandCache(), { ready: false })
  expect(ask(rungOver(away))).toEqual({ kind: 'was not heard', reason: 'cache_unreachable' })
  const behind = ask(rungOver(new HandCache(), { isBehind: true }))
  expect(behind).toEqual({ kind: 'was not heard', reason: 'overloaded' })
})

test.each([
  ['REDIS_UNREACHABLE', 'cache_unreachable'],
  ['REDIS_REFUSED', 'cache_refused'],
  ['RECORD_VERSION', 'cache_unreadable'],
  ['REDIS_WRONG_TYPE', 'cache_unreadable'],
  ['REDIS_FILLING', 'cache_filling'],
] as const)('%s is told as %s', async (code, reason) => {
  const cache = new HandCache()
  const said = ask(rungOver(cache))
  cache.asked[0]!.reject(new FreshetError(code, 'as told'))
  expect(await said).toEqual({ kind: 'was not heard', reason })
})

test('more waits than can be kept are answered from memory', () => {
  const rung = rungOver(new HandCache())
  for (let i = 0; i < 500; i++) expect(ask(rung)).toBeInstanceOf(Promise)
  expect(ask(rung)).toEqual({ kind: 'was not heard', reason: 'overloaded' })
})
