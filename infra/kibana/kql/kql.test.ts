import { expect, test } from 'vitest'
import { fieldsOfKql, parseKql } from './parse-kql.kit.ts'
import { kqlToQuery } from './to-query.kit.ts'

test('and binds tighter than or, not tighter than both, and brackets tightest', () => {
  expect(parseKql('a : 1 or b : 2 and not c : *')).toEqual({
    kind: 'or',
    parts: [
      { kind: 'is', field: 'a', value: '1', isPhrase: false },
      {
        kind: 'and',
        parts: [
          { kind: 'is', field: 'b', value: '2', isPhrase: false },
          { kind: 'not', part: { kind: 'exists', field: 'c' } },
        ],
      },
    ],
  })
  expect(parseKql('(a : 1 OR b : 2) and c >= 3')).toMatchObject({ kind: 'and' })
  expect(parseKql('  ')).toEqual({ kind: 'all' })
})

test('a phrase may hold anything', () => {
  const value = 'a "b" \\ c : (d) and *'
  expect(parseKql(`freshet.key : "${value.replaceAll(/["\\]/g, '\\$&')}"`)).toEqual({
    kind: 'is',
    field: 'freshet.key',
    value,
    isPhrase: true,
  })
})

test('a field may have one of several values', () => {
  expect(parseKql('not a : ("b" or c)')).toEqual({
    kind: 'not',
    part: {
      kind: 'or',
      parts: [
        { kind: 'is', field: 'a', value: 'b', isPhrase: true },
        { kind: 'is', field: 'a', value: 'c', isPhrase: false },
      ],
    },
  })
})

test.each([
  ['a : (b or', 'the end stands where a value should'],
  ['a : (b and c)', 'and stands where ) should'],
  ['a :', 'the end stands where a value should'],
  ['a : 1 b : 2', 'b stands where the end should'],
  ['(a : 1', 'the end stands where ) should'],
  ['a = 1', '= stands where an operator should'],
  [': 1', ': stands where the name of a field should'],
  ['a : "b', 'cannot be read from "b'],
  ['a : b*', 'wildcards in a value are not read here'],
])('%s is refused', (query, why) => {
  expect(() => parseKql(query)).toThrow(why)
})

test('a query names its fields', () => {
  expect(fieldsOfKql(parseKql('a : 1 or not (b > 2 and c : *)'))).toEqual(['a', 'b', 'c'])
})

test('a query is asked as Kibana asks it', () => {
  expect(kqlToQuery('kind : "Server" and not parent_span_id : * or n >= 13')).toEqual({
    bool: {
      minimum_should_match: 1,
      should: [
        {
          bool: {
            filter: [
              { bool: { should: [{ match_phrase: { kind: 'Server' } }], minimum_should_match: 1 } },
              {
                bool: {
                  must_not: [
                    {
                      bool: { should: [{ exists: { field: 'parent_span_id' } }], minimum_should_match: 1 },
                    },
                  ],
                },
              },
            ],
          },
        },
        { bool: { should: [{ range: { n: { gte: '13' } } }], minimum_should_match: 1 } },
      ],
    },
  })
})
