import { Buffer } from 'node:buffer'
import { keyCutter } from '@freshet/capture/document-key.ts'
import type { KeyScheme } from '@freshet/capture/scope.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { compileColumns } from '@freshet/model/features/columns.ts'
import type { Features } from '@freshet/model/features/features.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { describe, expect, test } from 'vitest'
import type { Outcome } from '../ladder/stored-score-to-answer.ts'
import { deadlineOf } from '../server/deadline.ts'
import type { PoolFields } from './pool-fields.ts'
import type { RankModel } from './pool-scores.ts'
import type { Found } from './pool-source.ts'
import { Ranker } from './ranker.ts'

const query = { index: 'flights', query: { match_all: {} }, size: 10 }
const FIELDS: PoolFields = { source: { includes: ['a'], excludes: [] }, signature: 'a' }
const NO_FIELDS: PoolFields = { source: false, signature: '' }

function hit(id: string, source: string) {
  return { index: 'flights', id, source: Buffer.from(source) }
}

function freshPool(...hits: ReturnType<typeof hit>[]): Found {
  return { kind: 'fresh', pool: { hits, fields: 'a', seenAtMs: Date.now() } }
}

/** A model of one column whose score is the column. */
class HandModel {
  used = 0
  ended = 0
  runs = 0
  fails: FreshetError | undefined = undefined

  use(): RankModel {
    this.used++
    return {
      label: 'copy@1',
      outputs: ['a'],
      paths: ['/a'],
      writer: compileColumns([{ name: 'a', path: '/a', type: 'number', required: true }]),
      pool: {
        expectedWaitMs: () => 0,
        runNow: () => null,
        run: async ({ numbers }: Features) => {
          this.runs++
          if (this.fails !== undefined) throw this.fails
          return [Float64Array.from(numbers)]
        },
      },
      [Symbol.dispose]: () => void this.ended++,
    }
  }
}

interface World {
  found: Found
  isBehind?: boolean
  model?: HandModel | null
  key?: KeyScheme
  stored?: (key: string) => Outcome
}

function rankerOver({ found, model = new HandModel(), key = 'index/id', stored, isBehind = false }: World) {
  const asked = {
    fields: [] as string[],
    keys: [] as string[],
    searchMs: [] as number[],
    pools: [] as Found['kind'][],
  }
  const ranker = new Ranker({
    pools: {
      find: async (_query, { signature }, endsAtMs) => {
        asked.fields.push(signature)
        asked.searchMs.push(endsAtMs - performance.now())
        return found
      },
    },
    useModel: () => model?.use() ?? null,
    fieldsOf: (model) => (model === null ? NO_FIELDS : FIELDS),
    keyOf: keyCutter(key),
    many: {
      lookUp: async (keys, _deadline, each) => {
        asked.keys.push(...keys)
        keys.forEach((key, at) => {
          each(stored?.(key) ?? { kind: 'absent', why: 'unknown' }, at)
        })
      },
    },
    rules: { default: null, cacheKeepsAll: true },
    loop: { isBehind: () => isBehind },
    clock: systemClock,
    log: quietLog,
    onPool: (kind) => void asked.pools.push(kind),
    budgets: { poolMs: 50, cacheMs: 20 },
  })
  const rank = (more: { by?: string; ms?: number } = {}) =>
    ranker.rank(
      { query, top: 10, order: 'desc', by: more.by },
      deadlineOf(performance.now(), more.ms ?? 10_000, null),
    )
  return { rank, asked, model }
}

function stored(key: string, score: number): Outcome {
  const as_of = '2020-01-01T00:00:00.000Z'
  return {
    kind: 'answer',
    answer: { key, score, source: 'cache', age_ms: 1, as_of, model: 'old@1', degraded: false },
  }
}

describe('a pool within a deadline', () => {
  test('is scored in one run, no store is asked, and the model is given back', async () => {
    const pool = freshPool(hit('1', '{"a":1}'), hit('2', '{}'), hit('3', '{"a":3}'))
    const { rank, asked, model } = rankerOver({ found: pool })
    const { items, unscorable } = await rank()
    expect(items.map(({ key, score }) => [key, score])).toEqual([
      ['flights/3', 3],
      ['flights/1', 1],
      ['flights/2', null],
    ])
    expect(unscorable).toBe(1)
    expect(asked).toMatchObject({ fields: ['a'], keys: [] })
    expect(model).toMatchObject({ used: 1, ended: 1, runs: 1 })
  })

  test.each([
    ['DEADLINE', 'live_late'],
    ['QUEUE_FULL', 'live_overloaded'],
    ['MODEL_RUN_FAILED', 'live_failed'],
  ] as const)('is ranked by the stored scores when the model answers %s', async (code, reason) => {
    const model = new HandModel()
    model.fails = new FreshetError(code, 'no')
    const pool = freshPool(hit('1', '{"a":9}'), hit('2', '{"a":1}'))
    const { rank } = rankerOver({
      found: pool,
      model,
      stored: (key) => stored(key, key.endsWith('2') ? 5 : 4),
    })
    const { items, ...ranking } = await rank()
    expect(items.map(({ key, source }) => [key, source])).toEqual([
      ['flights/2', 'cache'],
      ['flights/1', 'cache'],
    ])
    expect(ranking).toMatchObject({ degraded: true, reason })
    expect(model.ended).toBe(1)
  })

  test('is ranked by the stored scores, without a run, after a standstill of the loop', async () => {
    const { rank, model } = rankerOver({
      found: freshPool(hit('1', '{"a":9}')),
      isBehind: true,
      stored: (key) => stored(key, 4),
    })
    expect(await rank()).toMatchObject({ reason: 'overloaded', items: [{ source: 'cache', score: 4 }] })
    expect(model!.runs).toBe(0)
  })

  test('leaves of a short deadline something for each: search, model, stores', async () => {
    const { rank, asked } = rankerOver({ found: freshPool(hit('1', '{"a":1}')) })
    await rank({ ms: 10_000 })
    expect(asked.searchMs[0]).toBeLessThanOrEqual(50)
    await rank({ ms: 42 }).catch(() => undefined)
    expect(asked.searchMs[1]).toBeLessThan(42 * 0.65)
  })

  test('without a model asks for no fields, and ranks by what is stored', async () => {
    const found: Found = { kind: 'fresh', pool: { hits: [hit('1', '{}')], fields: '', seenAtMs: 1 } }
    const { rank, asked } = rankerOver({ found, model: null, stored: (key) => stored(key, 1) })
    expect(await rank({ by: 'anything' })).toMatchObject({
      reason: 'model_missing',
      items: [{ source: 'cache' }],
    })
    expect(asked.fields).toEqual([''])
  })

  test('that was read for another model is not given to this one', async () => {
    const pool = { hits: [hit('1', '{"b":1}')], fields: 'b', seenAtMs: Date.now() }
    const last: Found = { kind: 'last', pool, reason: 'elasticsearch_late' }
    const { rank, model } = rankerOver({ found: last, stored: (key) => stored(key, 7) })
    expect(await rank()).toMatchObject({
      items: [{ score: 7, source: 'cache' }],
      reason: 'elasticsearch_late',
    })
    expect(model).toMatchObject({ runs: 0, ended: 1 })
  })

  test('that is the last one asks model and stores side by side', async () => {
    const pool = { hits: [hit('1', '{"a":1}'), hit('2', '{"a":2}')], fields: 'a', seenAtMs: Date.now() }
    const last: Found = { kind: 'last', pool, reason: 'elasticsearch_cut_off' }
    const { rank, asked } = rankerOver({ found: last })
    expect(await rank()).toMatchObject({
      items: [{ score: 2, source: 'live' }, { score: 1 }],
      degraded: true,
    })
    expect(asked.keys).toEqual(['flights/1', 'flights/2'])
    expect(asked.pools).toEqual(['last'])
  })

  test('that does not exist is an error to try again after; a query that is refused is the caller’s', async () => {
    const none: Found = { kind: 'none', reason: 'elasticsearch_late', error: undefined }
    await expect(rankerOver({ found: none }).rank()).rejects.toMatchObject({ code: 'POOL_UNKNOWN' })
    const error = new FreshetError('ELASTICSEARCH_REFUSED', 'secret reason')
    const refused = rankerOver({ found: { kind: 'none', reason: 'elasticsearch_refused', error } }).rank()
    await expect(refused).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.not.stringContaining('secret'),
    })
  })

  test('is not looked for when the output that decides is none of the model’s', async () => {
    const { rank, asked, model } = rankerOver({ found: freshPool() })
    await expect(rank({ by: 'b' })).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    expect(asked.fields).toEqual([])
    expect(model!.ended).toBe(1)
  })

  test('has each key once, digits and all, and counts what has none', async () => {
    const pool = freshPool(
      hit('1', '{"a":1,"code":9007199254740993}'),
      hit('2', '{"a":5,"code":9007199254740993}'),
      hit('3', '{"a":2}'),
    )
    const { rank } = rankerOver({ found: pool, key: { field: 'code' } })
    const { items, unscorable } = await rank()
    expect(items).toMatchObject([{ key: '9007199254740993', score: 1 }])
    expect(unscorable).toBe(1)
  })
})
