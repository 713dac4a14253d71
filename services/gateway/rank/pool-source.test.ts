import { Buffer } from 'node:buffer'
import { FreshetError } from '@freshet/errors/errors.ts'
import { Breaker } from '@freshet/stage/breaker.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LastPools } from './last-pools.ts'
import { type Found, PoolSource } from './pool-source.ts'
import type { PoolQuery } from './template.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const BUDGET_MS = 50
const TIMEOUT_MS = 500
const FIELDS = { source: false, signature: 'a' } as const

function queryOf(origin: string): PoolQuery {
  return { index: 'flights', query: { term: { origin } }, size: 10 }
}

function responseOf(ids: readonly string[], failed = 0): Buffer {
  const hits = ids.map((_id) => ({ _index: 'flights', _id, _source: {} }))
  const shards = { total: 2, successful: 2 - failed, failed }
  return Buffer.from(JSON.stringify({ timed_out: false, _shards: shards, hits: { max_score: null, hits } }))
}

/** A server that answers by hand; a question that is cut off fails as the real one does. */
class HandSearcher {
  readonly asked: {
    body: Record<string, unknown>
    answer: (response: Buffer) => void
    fail: (error: FreshetError) => void
    signal: AbortSignal
  }[] = []

  search(_index: string, body: string, signal: AbortSignal): Promise<Buffer> {
    return new Promise((answer, fail) => {
      this.asked.push({ body: JSON.parse(body), answer, fail, signal })
      signal.addEventListener('abort', () => fail(new FreshetError('DEADLINE', 'late')))
    })
  }

  get last() {
    return this.asked.at(-1)!
  }
}

function sourceOver(
  searcher: HandSearcher,
  more: { maxSearches?: number; isBehind?: boolean; scope?: object; log?: Log } = {},
) {
  const { maxSearches = 4, isBehind = false, scope, log = quietLog } = more
  return new PoolSource({
    searcher,
    breaker: new Breaker({ misses: 3, restMs: 250 }),
    loop: { isBehind: () => isBehind },
    last: new LastPools({ maxPools: 10, maxBytes: 1_000_000 }),
    clock: systemClock,
    log,
    scope: scope as Record<string, unknown> | undefined,
    budgetMs: BUDGET_MS,
    timeoutMs: TIMEOUT_MS,
    maxSearches,
  })
}

const inTime = () => performance.now() + BUDGET_MS

function idsOf(found: Found): string[] {
  return found.kind === 'none' ? [] : found.pool.hits.map(({ id }) => id)
}

/** A source that has seen a pool of `a` already. */
async function seen(searcher: HandSearcher, source: PoolSource): Promise<void> {
  const first = source.find(queryOf('JFK'), FIELDS, inTime())
  searcher.last.answer(responseOf(['a']))
  expect(await first).toMatchObject({ kind: 'fresh' })
}

test('a search in time is the pool, and those who ask the same at once share it', async () => {
  const searcher = new HandSearcher()
  const source = sourceOver(searcher)
  const found = [1, 2, 3].map(() => source.find(queryOf('JFK'), FIELDS, inTime()))
  const other = source.find(queryOf('LGA'), FIELDS, inTime())
  expect(searcher.asked).toHaveLength(2)
  searcher.asked[0]!.answer(responseOf(['a', 'b']))
  searcher.asked[1]!.answer(responseOf(['c']))
  expect((await Promise.all(found)).map(idsOf)).toEqual([
    ['a', 'b'],
    ['a', 'b'],
    ['a', 'b'],
  ])
  expect(idsOf(await other)).toEqual(['c'])
  void source.find(queryOf('JFK'), FIELDS, inTime())
  expect(searcher.asked).toHaveLength(3)
})

test('the search is bounded, asks for no more than is needed, and only for documents in scope', () => {
  const searcher = new HandSearcher()
  const scope = { term: { status: 'open' } }
  void sourceOver(searcher, { scope }).find({ ...queryOf('JFK'), terminateAfter: 1_000 }, FIELDS, inTime())
  expect(searcher.last.body).toEqual({
    query: { bool: { must: [{ term: { origin: 'JFK' } }], filter: [scope] } },
    size: 10,
    _source: false,
    track_total_hits: false,
    timeout: '500ms',
    terminate_after: 1_000,
  })
})

test('who has less time than the search takes the last pool, and the search goes on for the next', async () => {
  const searcher = new HandSearcher()
  const source = sourceOver(searcher)
  await seen(searcher, source)
  const hasty = source.find(queryOf('JFK'), FIELDS, performance.now())
  await vi.advanceTimersByTimeAsync(1)
  expect(await hasty).toMatchObject({ kind: 'last', reason: 'elasticsearch_late' })
  const patient = source.find(queryOf('JFK'), FIELDS, inTime())
  expect(searcher.asked).toHaveLength(2)
  searcher.last.answer(responseOf(['b']))
  expect(idsOf(await patient)).toEqual(['b'])
})

describe('an Elasticsearch that is slow', () => {
  test('is not waited for beyond its budget; what it says later is the last pool of the next who asks', async () => {
    const searcher = new HandSearcher()
    const source = sourceOver(searcher)
    const first = source.find(queryOf('JFK'), FIELDS, inTime())
    await vi.advanceTimersByTimeAsync(BUDGET_MS + 1)
    expect(await first).toMatchObject({ kind: 'none', reason: 'elasticsearch_late' })
    expect(await source.find(queryOf('JFK'), FIELDS, inTime())).toMatchObject({
      reason: 'elasticsearch_late',
    })
    expect(searcher.asked).toHaveLength(1)
    searcher.last.answer(responseOf(['a']))
    await vi.advanceTimersByTimeAsync(0)
    const next = source.find(queryOf('JFK'), FIELDS, inTime())
    expect(searcher.asked).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(BUDGET_MS + 1)
    expect(await next).toMatchObject({ kind: 'last', reason: 'elasticsearch_late' })
    expect(idsOf(await next)).toEqual(['a'])
  })

  test('is cut off at last, and another search may begin', async () => {
    const searcher = new HandSearcher()
    const source = sourceOver(searcher)
    void source.find(queryOf('JFK'), FIELDS, inTime())
    await vi.advanceTimersByTimeAsync(TIMEOUT_MS + 1)
    expect(searcher.last.signal.aborted).toBe(true)
    void source.find(queryOf('JFK'), FIELDS, inTime())
    expect(searcher.asked).toHaveLength(2)
  })

  test('is not even asked after some misses, until one question at a time is answered in time', async () => {
    const searcher = new HandSearcher()
    const source = sourceOver(searcher, { maxSearches: 10 })
    for (const origin of ['A', 'B', 'C']) void source.find(queryOf(origin), FIELDS, inTime())
    await vi.advanceTimersByTimeAsync(BUDGET_MS + 1)
    const cutOff = { kind: 'none', reason: 'elasticsearch_cut_off' }
    expect(await source.find(queryOf('JFK'), FIELDS, inTime())).toMatchObject(cutOff)
    for (const { answer } of searcher.asked) answer(responseOf(['late'])) // which mends nothing
    await vi.advanceTimersByTimeAsync(0)
    expect(await source.find(queryOf('JFK'), FIELDS, inTime())).toMatchObject(cutOff)
    await vi.advanceTimersByTimeAsync(250)
    const probe = source.find(queryOf('JFK'), FIELDS, inTime())
    expect(searcher.asked).toHaveLength(4)
    expect(await source.find(queryOf('LGA'), FIELDS, inTime())).toMatchObject(cutOff)
    searcher.last.answer(responseOf(['a']))
    expect(await probe).toMatchObject({ kind: 'fresh' })
    void source.find(queryOf('LGA'), FIELDS, inTime())
    expect(searcher.asked).toHaveLength(5)
  })
})

test.each([
  ['ELASTICSEARCH_UNREACHABLE', 'elasticsearch_unreachable'],
  ['SHARD_UNAVAILABLE', 'elasticsearch_unreachable'],
  ['ELASTICSEARCH_UNAUTHORIZED', 'elasticsearch_refused'],
  ['INDEX_MISSING', 'elasticsearch_refused'],
  ['HIT_MALFORMED', 'elasticsearch_refused'],
] as const)('after %s the last pool answers: %s', async (code, reason) => {
  const searcher = new HandSearcher()
  const source = sourceOver(searcher)
  await seen(searcher, source)
  const found = source.find(queryOf('JFK'), FIELDS, inTime())
  searcher.last.fail(new FreshetError(code, 'no'))
  expect(await found).toMatchObject({ kind: 'last', reason, pool: { fields: 'a' } })
  expect(idsOf(await found)).toEqual(['a'])
})

test('what some shards have is ranked, and says so; when they have nothing, the last whole pool is', async () => {
  const searcher = new HandSearcher()
  const source = sourceOver(searcher)
  await seen(searcher, source)
  const partly = source.find(queryOf('JFK'), FIELDS, inTime())
  searcher.last.answer(responseOf(['b'], 1))
  expect(await partly).toMatchObject({ kind: 'fresh', reason: 'elasticsearch_partial' })
  expect(idsOf(await partly)).toEqual(['b'])
  const empty = source.find(queryOf('JFK'), FIELDS, inTime())
  searcher.last.answer(responseOf([], 2))
  expect(await empty).toMatchObject({ kind: 'last', reason: 'elasticsearch_partial' })
  expect(idsOf(await empty)).toEqual(['a'])
})

test('more searches than may be under way, and a loop that stood still, ask nothing', async () => {
  const searcher = new HandSearcher()
  const source = sourceOver(searcher, { maxSearches: 1 })
  void source.find(queryOf('JFK'), FIELDS, inTime())
  const second = await source.find(queryOf('LGA'), FIELDS, inTime())
  expect(second).toMatchObject({ kind: 'none', reason: 'elasticsearch_overloaded' })
  const behind = await sourceOver(searcher, { isBehind: true }).find(queryOf('LGA'), FIELDS, inTime())
  expect(behind).toMatchObject({ kind: 'none', reason: 'overloaded' })
  expect(searcher.asked).toHaveLength(1)
})

describe('a query that Elasticsearch refuses', () => {
  test('is no error of ours before it went well once, and one afterwards', async () => {
    const searcher = new HandSearcher()
    const lines: string[] = []
    const log: Log = {
      ...quietLog,
      info: (message) => void lines.push(`info ${message}`),
      error: (message) => void lines.push(`error ${message}`),
    }
    const source = sourceOver(searcher, { log })
    const refusedFor = async (origin: string) => {
      const found = source.find(queryOf(origin), FIELDS, inTime())
      searcher.last.fail(new FreshetError('ELASTICSEARCH_REFUSED', '400 no such field'))
      return found
    }
    expect(await refusedFor('LGA')).toMatchObject({ kind: 'none', error: { code: 'ELASTICSEARCH_REFUSED' } })
    await refusedFor('LGA')
    expect(lines).toEqual(['info a caller’s query was refused: 400 no such field'])
    await seen(searcher, source)
    expect(await refusedFor('JFK')).toMatchObject({ kind: 'last', reason: 'elasticsearch_refused' })
    expect(lines.slice(1)).toEqual(['error a pool could not be had'])
  })
})
