import type { Scope } from '@freshet/config/gateway-access.ts'
import { rankSchema } from '@freshet/config/gateway-rank.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { Answer } from '@freshet/records/answer.ts'
import { describe, expect, test } from 'vitest'
import { gateway } from '../app.kit.ts'
import type { Wanted } from '../rank/ranker.ts'
import type { Ranking } from '../rank/ranking.ts'
import { compileTemplates } from '../rank/template.ts'

const SEEN_AT_MS = Date.parse('2026-01-01T00:00:10Z')

const best: Answer = {
  key: 'flights/UA-1',
  score: 3,
  source: 'live',
  age_ms: 25,
  as_of: '2026-01-01T00:00:10.000Z',
  model: 'delay@2',
  degraded: false,
}
const ranking: Ranking = {
  items: [best],
  size: 40,
  unscorable: 2,
  pool: { source: 'elasticsearch', seenAtMs: SEEN_AT_MS, ageMs: 25 },
  degraded: false,
}

const templates = compileTemplates(
  rankSchema.parse({
    templates: {
      departures: {
        query: { term: { origin: { $param: 'origin' } } },
        size: 50,
        parameters: { origin: { type: 'string' } },
      },
    },
  }),
  'flights',
)

function ranked({
  answer = ranking,
  rawWithoutKeys = false,
  key,
  scopes,
}: {
  answer?: Ranking | FreshetError
  rawWithoutKeys?: boolean
  key?: string
  scopes?: readonly Scope[]
} = {}) {
  const wanted: Wanted[] = []
  const world = gateway({
    ...(key !== undefined && { key }),
    ...(scopes !== undefined && { scopes: [...scopes] }),
    rank: {
      ranker: {
        rank: async (one) => {
          wanted.push(one)
          if (answer instanceof FreshetError) throw answer
          return answer
        },
      },
      templates,
      index: 'flights',
      rawWithoutKeys,
    },
  })
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
  return { ...world, wanted, ask: (body: unknown) => world.post('/v1/rank', body, headers) }
}

const raw = { query: { term: { origin: 'JFK' } } }

describe('POST /v1/rank', () => {
  test('answers with the best, and with where they come from', async () => {
    const { ask, wanted } = ranked()
    const reply = await ask({
      template: 'departures',
      parameters: { origin: 'JFK' },
      top: 3,
      by: 'risk',
      order: 'asc',
    })
    expect(reply.status).toBe(200)
    expect(reply.headers.get('cache-status')).toBe('freshet-redis; fwd=bypass')
    expect(reply.headers.get('age')).toBe('0')
    expect(await reply.json()).toEqual({
      answers: [best],
      pool: { source: 'elasticsearch', size: 40, age_ms: 25, as_of: '2026-01-01T00:00:10.000Z' },
      unscorable: 2,
      degraded: false,
    })
    expect(wanted).toEqual([
      {
        query: {
          index: 'flights',
          query: { term: { origin: 'JFK' } },
          sort: undefined,
          size: 50,
          terminateAfter: undefined,
        },
        top: 3,
        by: 'risk',
        order: 'asc',
      },
    ])
  })

  test('unless said otherwise the ten highest are wanted', async () => {
    const { ask, wanted } = ranked()
    await ask({ template: 'departures', parameters: { origin: 'JFK' } })
    expect(wanted[0]).toMatchObject({ top: 10, by: undefined, order: 'desc' })
  })

  test('what is degraded says why', async () => {
    const { ask, metrics } = ranked({
      answer: {
        ...ranking,
        items: [{ ...best, degraded: true, reason: 'live_late' }],
        degraded: true,
        reason: 'live_late',
      },
    })
    const reply = await ask({ template: 'departures', parameters: { origin: 'JFK' } })
    expect(await reply.json()).toMatchObject({ degraded: true, reason: 'live_late' })
    expect(metrics.values()['freshet.answers.degraded.live_late']).toBe(1)
  })

  test('a pool of which only a part was seen is told and counted, though nothing is in it', async () => {
    const { ask, metrics } = ranked({
      answer: { ...ranking, items: [], size: 0, degraded: true, reason: 'elasticsearch_partial' },
    })
    const reply = await ask({ template: 'departures', parameters: { origin: 'JFK' } })
    expect(await reply.json()).toMatchObject({ answers: [], degraded: true, reason: 'elasticsearch_partial' })
    expect(reply.headers.get('cache-status')).toBe('freshet-redis; fwd=bypass; detail=elasticsearch_partial')
    expect(metrics.values()['freshet.answers.degraded.elasticsearch_partial']).toBe(1)
  })

  test('a template that is not there is 404, and the hint says where they stand', async () => {
    const reply = await ranked().ask({ template: 'constructor' })
    expect(reply.status).toBe(404)
    expect(await reply.json()).toMatchObject({
      code: 'TEMPLATE_UNKNOWN',
      detail: expect.stringContaining('departures'),
      hint: expect.stringContaining('gateway.rank.templates'),
    })
  })

  test('no pool is 503 with the time to ask again, never an empty ranking', async () => {
    const reply = await ranked({ answer: new FreshetError('POOL_UNKNOWN', 'none') }).ask({
      template: 'departures',
      parameters: { origin: 'JFK' },
    })
    expect(reply.status).toBe(503)
    expect(reply.headers.get('retry-after')).toBe('1')
    expect(await reply.json()).toMatchObject({ code: 'POOL_UNKNOWN', retryable: true })
  })

  test.each([
    ['neither template nor query', {}],
    ['both', { template: 'departures', parameters: { origin: 'JFK' }, ...raw }],
    ['parameters for a query', { ...raw, parameters: {} }],
    ['a size for a template', { template: 'departures', parameters: { origin: 'JFK' }, size: 10 }],
    ['a size beyond 500', { ...raw, size: 501 }],
    ['more than 500 of the best', { template: 'departures', parameters: { origin: 'JFK' }, top: 501 }],
    ['none of the best', { template: 'departures', parameters: { origin: 'JFK' }, top: 0 }],
    ['another order', { template: 'departures', parameters: { origin: 'JFK' }, order: 'random' }],
    ['an index of the caller’s', { ...raw, index: 'secrets' }],
    ['aggregations', { ...raw, aggs: {} }],
    ['runtime mappings', { ...raw, runtime_mappings: {} }],
    ['a list of parameters', { template: 'departures', parameters: ['JFK'] }],
    ['a parameter that is missing', { template: 'departures' }],
    ['__proto__', '{"template":"departures","parameters":{"origin":"JFK","__proto__":{"origin":"LGA"}}}'],
    ['__proto__ in a query', '{"query":{"__proto__":{"match_all":{}}}}'],
    ['a query that is not allowed', { query: { script: { script: 'true' } } }],
  ])('%s is refused as invalid', async (_, body) => {
    const { ask, wanted } = ranked({ rawWithoutKeys: true })
    const reply = await ask(body)
    expect(reply.status).toBe(400)
    expect(await reply.json()).toMatchObject({ code: 'REQUEST_INVALID' })
    expect(wanted).toEqual([])
  })

  test.each([
    ['nobody without keys', { rawWithoutKeys: false }, 403],
    ['anybody without keys, where the settings say so', { rawWithoutKeys: true }, 200],
    ['no key for templates', { key: 'k', rawWithoutKeys: true }, 403],
    ['a key with the scope', { key: 'k', scopes: ['rank', 'rank:raw'] }, 200],
  ] as const)('%s may send a query of its own', async (_, options, status) => {
    const { ask, wanted } = ranked(options)
    expect((await ask({ ...raw, sort: [{ departure: 'desc' }], size: 20 })).status).toBe(status)
    if (status === 200)
      expect(wanted[0]?.query).toEqual({
        ...raw,
        index: 'flights',
        sort: [{ departure: 'desc' }],
        size: 20,
        terminateAfter: 100_000,
      })
  })

  test('a key without the scope may not rank at all', async () => {
    expect((await ranked({ key: 'k', scopes: ['lookup'] }).ask({ template: 'departures' })).status).toBe(403)
  })
})
