import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CLAUSE_EXAMPLES } from './clause-examples.kit.ts'
import { CLAUSE_NAMES } from './query-grammar.ts'
import { rawPoolQuery } from './raw-query.ts'

const many = (count: number) => Array.from({ length: count }, (_, i) => ({ term: { a: i } }))
const nested = (depth: number): Record<string, unknown> =>
  depth === 0 ? { match_all: {} } : { bool: { must: nested(depth - 1) } }

describe('a query of the caller’s own', () => {
  test.each([
    ['a script', { script: { script: { source: 'true' } } }],
    ['a script deep within', { bool: { filter: [{ bool: { must_not: { script: {} } } }] } }],
    ['a score by script', { script_score: { query: { match_all: {} }, script: { source: '1' } } }],
    ['a function by script', { function_score: { query: { match_all: {} }, script_score: { script: {} } } }],
    ['a function by script in the list', { function_score: { functions: [{ script_score: {} }] } }],
    ['terms of another index', { terms: { user: { index: 'secrets', id: '1', path: 'ids' } } }],
    ['terms by script', { terms_set: { a: { terms: ['x'], minimum_should_match_script: {} } } }],
    ['documents like one of another index', { more_like_this: { like: [{ _index: 'secrets', _id: '1' }] } }],
    ['a percolator', { percolate: { field: 'query', document: {} } }],
    ['a shape of another index', { geo_shape: { a: { indexed_shape: { index: 'secrets', id: '1' } } } }],
    ['children', { has_child: { type: 'x', query: { match_all: {} } } }],
    ['parents', { has_parent: { parent_type: 'x', query: { match_all: {} } } }],
    ['a query in text', { query_string: { query: '*' } }],
    ['a simple query in text', { simple_query_string: { query: '*' } }],
    ['a query in base64', { wrapper: { query: 'e30=' } }],
    ['a regular expression', { regexp: { a: '.*.*.*' } }],
    ['a wildcard', { wildcard: { a: '*x*' } }],
    ['a model of the server', { semantic: { field: 'a', query: 'b' } }],
    [
      'a vector by a model of the server',
      { knn: { field: 'v', query_vector_builder: { text_embedding: {} } } },
    ],
    ['inner hits', { nested: { path: 'a', query: { match_all: {} }, inner_hits: {} } }],
    ['two clauses in one', { match_all: {}, match_none: {} }],
    ['two fields in one clause', { term: { a: 1, b: 2 } }],
    ['no clause', {}],
    ['a list for a clause', { bool: { must: [[{ match_all: {} }]] } }],
    ['null for a clause', { bool: { must: null } }],
    ['an unknown option', { match: { a: { query: 'x', rewrite: 'scoring_boolean' } } }],
    ['an object for a value', { term: { a: { value: { script: 1 } } } }],
    ['a placeholder', { term: { a: { $param: 'x' } } }],
    ['a name of every object', { constructor: {} }],
    ['__proto__', JSON.parse('{"__proto__": {"match_all": {}}}')],
    ['__proto__ beside', { bool: JSON.parse('{"must": [], "__proto__": {}}') }],
    ['too many clauses', { bool: { should: many(600) } }],
    ['clauses too deep', nested(40)],
    [
      'many lists that are too long together',
      {
        bool: {
          filter: Array.from({ length: 20 }, () => ({
            terms: { a: Array.from({ length: 300 }, (_, i) => i) },
          })),
        },
      },
    ],
    ['lists too long', { terms: { a: Array.from({ length: 5_000 }, (_, i) => i) } }],
  ])('%s is refused', (_, query) => {
    expect(() => rawPoolQuery({ query }, 'flights')).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID', message: expect.stringMatching(/^query/) }),
    )
  })

  test.each([
    [{ match_all: { boost: 2 } }],
    [{ term: { a: 1 } }],
    [{ term: { 'a.b': { value: 'x', case_insensitive: true } } }],
    [{ terms: { a: ['x', 'y'], boost: 1 } }],
    [{ range: { t: { gte: 'now-1d', lt: 'now', time_zone: '+01:00' } } }],
    [{ match: { a: 'some words' } }],
    [{ multi_match: { query: 'words', fields: ['a^2', 'b'], type: 'best_fields' } }],
    [{ bool: { must: { match_all: {} }, should: many(20), minimum_should_match: '50%' } }],
    [{ nested: { path: 'legs', query: { exists: { field: 'legs.a' } } } }],
    [{ geo_distance: { distance: '10km', at: { lat: 1, lon: 2 } } }],
    [{ geo_distance: { distance: '10km', at: [1, 2] } }],
    [{ distance_feature: { field: 't', origin: 'now', pivot: '1d' } }],
    [
      {
        function_score: {
          query: { match_all: {} },
          functions: [{ gauss: { t: { origin: 'now', scale: '1d' } } }],
        },
      },
    ],
    [
      {
        knn: { field: 'v', query_vector: [0.1, 0.2], k: 10, num_candidates: 50, filter: { term: { a: 1 } } },
      },
    ],
    [{ ids: { values: ['1', '2'] } }],
    [nested(10)],
  ])('%j is allowed, and reaches Elasticsearch as it is', (query) => {
    expect(rawPoolQuery({ query }, 'flights')).toMatchObject({ query, index: 'flights', size: 100 })
  })

  test('every clause of the allow-list has an example, and no other has', () => {
    expect(Object.keys(CLAUSE_EXAMPLES).toSorted()).toEqual(CLAUSE_NAMES.toSorted())
    for (const [name, examples] of Object.entries(CLAUSE_EXAMPLES)) {
      expect(examples, name).not.toHaveLength(0)
      for (const options of examples) rawPoolQuery({ query: { [name]: options } }, 'flights')
    }
  })

  test.each([
    ['a script', [{ _script: { type: 'number', script: 'Math.random()' } }]],
    ['a filter within', [{ a: { order: 'asc', nested: { path: 'x' } } }]],
    ['another order', [{ a: 'random' }]],
    ['a placeholder', [{ $param: 'x' }]],
  ])('an order by %s is refused', (_, sort) => {
    expect(() => rawPoolQuery({ query: { match_all: {} }, sort }, 'flights')).toThrow(/^sort/)
  })

  test('orders by fields, score and place are allowed', () => {
    const sort = ['_score', { a: 'desc' }, { b: { order: 'asc', missing: '_last' } }, '_doc']
    expect(rawPoolQuery({ query: { match_all: {} }, sort }, 'flights').sort).toEqual(sort)
  })

  // Around a clause that is not allowed, any nest of clauses that are: the clause is found, and its place named.
  test('a clause that is not allowed is found wherever it hides', () => {
    const forbidden = [
      'script',
      'script_score',
      'percolate',
      'wrapper',
      'query_string',
      'has_child',
      'toString',
    ]
    const wraps: ((inner: object) => object)[] = [
      (inner) => ({ bool: { must: [{ match_all: {} }, inner] } }),
      (inner) => ({ bool: { must_not: inner } }),
      (inner) => ({ bool: { filter: [inner], should: [{ term: { a: 1 } }] } }),
      (inner) => ({ constant_score: { filter: inner, boost: 1 } }),
      (inner) => ({ dis_max: { queries: [inner] } }),
      (inner) => ({ boosting: { positive: { match_all: {} }, negative: inner, negative_boost: 0.5 } }),
      (inner) => ({ nested: { path: 'legs', query: inner } }),
      (inner) => ({ function_score: { query: inner } }),
      (inner) => ({ function_score: { functions: [{ filter: inner, weight: 2 }] } }),
      (inner) => ({ knn: { field: 'v', query_vector: [1], filter: [inner] } }),
    ]
    const nest = fc.array(fc.constantFrom(...wraps), { maxLength: 10 })
    const around = (inner: object, how: readonly ((inner: object) => object)[]) =>
      how.reduce<object>((query, wrap) => wrap(query), inner) as Record<string, unknown>
    fc.assert(
      fc.property(nest, fc.constantFrom(...forbidden), fc.jsonValue({ maxDepth: 1 }), (how, name, body) => {
        const allowed = around({ term: { a: 1 } }, how)
        expect(rawPoolQuery({ query: allowed }, 'flights').query).toEqual(allowed)
        const hidden = around({ [name]: body }, how)
        const refusal = expect.objectContaining({
          message: expect.stringContaining(`.${name}: no such clause`),
        })
        expect(() => rawPoolQuery({ query: hidden }, 'flights')).toThrow(refusal)
      }),
    )
  })
})
