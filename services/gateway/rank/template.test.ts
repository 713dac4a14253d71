import type { TemplateSettings } from '@freshet/config/gateway-rank.ts'
import { rankSchema } from '@freshet/config/gateway-rank.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { placeholderIn } from './query-check.ts'
import { compileTemplates, Template } from './template.ts'

function settingsOf(template: object): TemplateSettings {
  return rankSchema.parse({ templates: { it: template } }).templates.it!
}

function templateOf(template: object): Template {
  return new Template('it', settingsOf(template), 'flights')
}

const FLIGHTS = {
  query: {
    bool: {
      must: [{ match: { notes: { query: { $param: 'words' }, operator: 'and' } } }],
      filter: [
        { term: { origin: { $param: 'origin' } } },
        { terms: { carrier: { $param: 'carriers' } } },
        { range: { departure: { gte: { $param: 'from' }, lt: 'now' } } },
        { range: { distance: { lte: { $param: 'miles' } } } },
        { term: { cancelled: { $param: 'cancelled' } } },
      ],
      should: [
        { function_score: { query: { match_all: {} }, functions: [{ weight: { $param: 'weight' } }] } },
      ],
    },
  },
  sort: [{ departure: { order: 'desc' } }],
  size: 50,
  parameters: {
    words: { type: 'string', maxLength: 40 },
    origin: { type: 'string', oneOf: ['JFK', 'LGA', 'EWR'] },
    carriers: { type: 'list', of: { type: 'string', maxLength: 2, minLength: 2 }, maxItems: 3 },
    from: { type: 'date', default: 'now-1d/d' },
    miles: { type: 'integer', min: 0, max: 5_000, default: 5_000 },
    cancelled: { type: 'boolean', default: false },
    weight: { type: 'number', min: 0, max: 10, default: 1 },
  },
}
const GOOD = { words: 'late again', origin: 'JFK', carriers: ['UA', 'AA'] }

/** Everything but what stands where the template has a placeholder; that must be a single value, or a list of such. */
function structureOf(template: unknown, filled: unknown): unknown {
  if (placeholderIn(template) !== undefined) {
    const singles = [filled].flat(1)
    expect(singles.every((one) => ['string', 'number', 'boolean'].includes(typeof one))).toBe(true)
    return template
  }
  if (Array.isArray(template)) return (filled as unknown[]).map((one, at) => structureOf(template[at], one))
  if (typeof template !== 'object' || template === null) return filled
  return Object.fromEntries(
    Object.entries(filled as object).map(([name, one]) => [
      name,
      structureOf((template as Record<string, unknown>)[name], one),
    ]),
  )
}

describe('a template takes values, never structure', () => {
  const hostile = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom<unknown>(
      '"}},{"match_all":{}}',
      { match_all: {} },
      { $param: 'words' },
      { $param: '__proto__' },
      [{ script: {} }],
      [['UA']],
      { index: 'secrets', id: '1', path: 'carriers' },
      ['UA', { bool: {} }],
      '* OR _exists_:password',
      Number.NaN,
      null,
      'now||/d',
      '2013-12-01',
      JSON.parse('{"__proto__": {"query": 1}}'),
    ),
  )

  // Whatever callers send, known names or not: either it is refused, or the query has the template's structure and values
  // within their bounds. What a caller sends is what JSON can hold.
  test('whatever the parameters, the query is the template’s in everything but its placeholders', () => {
    const template = templateOf(FLIGHTS)
    const names = fc.constantFrom(...Object.keys(FLIGHTS.parameters), '__proto__', 'constructor', 'other')
    let filledCount = 0
    fc.assert(
      fc.property(fc.dictionary(names, hostile, { maxKeys: 3 }), (given) => {
        try {
          const { query, sort, size, index } = template.fill({ ...GOOD, ...given })
          filledCount++
          expect(structureOf(FLIGHTS.query, query)).toEqual(FLIGHTS.query)
          expect({ sort, size, index }).toEqual({ sort: FLIGHTS.sort, size: 50, index: 'flights' })
        } catch (error) {
          if (!isFreshetError(error, 'REQUEST_INVALID')) throw error
        }
      }),
      { numRuns: 2_000 },
    )
    expect(filledCount).toBeGreaterThan(0)
  })

  test('a value in JSON’s clothes stays a value', () => {
    const { query } = templateOf(FLIGHTS).fill({ ...GOOD, words: '"}},{"match_all":{}}' })
    expect(JSON.parse(JSON.stringify(query))).toMatchObject({
      bool: { must: [{ match: { notes: { query: '"}},{"match_all":{}}' } } }] },
    })
  })

  test.each([
    ['one that is missing', { origin: undefined }, /needs the parameter origin/],
    ['one that is not declared', { size: 500 }, /no parameter size/],
    ['one of another type', { words: 7 }, /words: text of 0 to 40/],
    ['text that is too long', { words: 'x'.repeat(41) }, /words/],
    ['half of a surrogate pair', { words: '\ud800' }, /words/],
    ['text that is none of those allowed', { origin: 'SFO' }, /one of JFK, LGA, EWR/],
    ['a list that is too long', { carriers: ['AA', 'BB', 'CC', 'DD'] }, /1 to 3 values/],
    ['an empty list', { carriers: [] }, /1 to 3 values/],
    ['a single value for a list', { carriers: 'UA' }, /list/],
    ['a number out of bounds', { miles: 5_001 }, /a whole number from 0 up to 5000/],
    ['a fraction for a whole number', { miles: 1.5 }, /whole number/],
    ['a number as text', { miles: '7' }, /whole number/],
    ['a word for a boolean', { cancelled: 'true' }, /true or false/],
    ['a date that is none', { from: 'yesterday' }, /ISO 8601/],
    ['a date with a format of its own', { from: '2013-12-01||/M' }, /ISO 8601/],
    ['null', { words: null }, /words/],
  ])('%s is refused', (_, given, message) => {
    const { origin, ...rest } = { ...GOOD, ...given }
    const parameters = origin === undefined ? rest : { origin, ...rest }
    expect(() => templateOf(FLIGHTS).fill(parameters)).toThrow(message)
  })

  test('defaults stand where nothing is given, and what is given stands before them', () => {
    const { query } = templateOf(FLIGHTS).fill({ ...GOOD, miles: 300, from: '2013-12-01T10:00:00Z' })
    expect(query).toMatchObject({
      bool: {
        filter: [
          {},
          {},
          { range: { departure: { gte: '2013-12-01T10:00:00Z' } } },
          { range: { distance: { lte: 300 } } },
          { term: { cancelled: false } },
        ],
      },
    })
  })
})

describe('a template is checked when the gateway starts', () => {
  const string = { type: 'string' }
  test.each([
    [
      'a placeholder without a parameter',
      { query: { term: { a: { $param: 'x' } } } },
      /query\.term\.a: no parameter is called x/,
    ],
    [
      'a parameter that nothing takes',
      { query: { match_all: {} }, parameters: { x: string } },
      /parameters\.x: the query has no/,
    ],
    [
      'a default that its own bounds refuse',
      { query: { term: { a: { $param: 'x' } } }, parameters: { x: { type: 'integer', max: 1, default: 2 } } },
      /x\.default/,
    ],
    [
      'a parameter in the place of a clause',
      { query: { $param: 'x' }, parameters: { x: string } },
      /no parameter may stand here/,
    ],
    [
      'a parameter in the place of a clause’s body',
      { query: { term: { $param: 'x' } }, parameters: { x: string } },
      /no parameter may stand here/,
    ],
    [
      'a parameter as a field’s name',
      { query: { exists: { field: { $param: 'x' } } }, parameters: { x: string } },
      /no parameter/,
    ],
    [
      'a parameter among fields',
      { query: { multi_match: { query: 'a', fields: [{ $param: 'x' }] } }, parameters: { x: string } },
      /no parameter/,
    ],
    [
      'a parameter in the order',
      { query: { match_all: {} }, sort: [{ $param: 'x' }], parameters: { x: string } },
      /no parameter/,
    ],
    [
      'a list for a single value',
      { query: { term: { a: { $param: 'x' } } }, parameters: { x: { type: 'list', of: string } } },
      /single value/,
    ],
    [
      'a single value for a list',
      { query: { terms: { a: { $param: 'x' } } }, parameters: { x: string } },
      /a list is wanted/,
    ],
    ['a script', { query: { script: { script: 'true' } } }, /query\.script: no such clause/],
  ])('%s is an error of configuration that names the place', (_, template, message) => {
    const settings = rankSchema.parse({ templates: { it: template } })
    expect(() => compileTemplates(settings, 'flights')).toThrow(message)
    expect(() => compileTemplates(settings, 'flights')).toThrow(/gateway\.rank\.templates\.it/)
  })

  test.each([
    ['an index with a slash', { query: { match_all: {} }, index: 'flights/_search' }],
    ['an index with a blank', { query: { match_all: {} }, index: 'flights shop' }],
    ['a pool of more than 500', { query: { match_all: {} }, size: 501 }],
    ['runtime mappings', { query: { match_all: {} }, runtime_mappings: {} }],
    ['aggregations', { query: { match_all: {} }, aggs: {} }],
    ['a parameter of no type', { query: { match_all: {} }, parameters: { x: { type: 'object' } } }],
    [
      'a parameter called __proto__',
      { query: { match_all: {} }, parameters: JSON.parse('{"__proto__ ":{"type":"string"}}') },
    ],
  ])('%s is no template', (_, template) => {
    expect(rankSchema.safeParse({ templates: { it: template } }).success).toBe(false)
  })

  const number = { type: 'number' }
  test.each([
    ['numbers', { ...number, min: 2, max: 1 }, 'min'],
    ['whole numbers', { type: 'integer', min: 1.2, max: 1.8 }, 'min'],
    ['text', { ...string, minLength: 5, maxLength: 4 }, 'minLength'],
    [
      'text of fewer characters than stand for the limit left out',
      { ...string, minLength: 257 },
      'minLength',
    ],
    ['the only texts there are', { ...string, oneOf: ['a', 'bcd'], maxLength: 2 }, 'oneOf'],
    ['lists', { type: 'list', of: string, minItems: 3, maxItems: 2 }, 'minItems'],
    ['what is in lists', { type: 'list', of: { ...number, min: 2, max: 1 } }, 'min'],
  ])('bounds of %s between which nothing is are told by name', (_, x, name) => {
    const { error } = rankSchema.safeParse({
      templates: { it: { query: { terms: { a: { $param: 'x' } } }, parameters: { x } } },
    })
    expect(error!.issues.map(({ path }) => path.at(-1))).toEqual([name])
    expect(error!.issues[0]!.message).toMatch(/no value fits/)
  })

  test('bounds may meet, and an index may be a pattern, a list or date math', () => {
    const parameters = { x: { ...number, min: 1, max: 1 } }
    for (const index of ['flights-*,-flights-old', '<flights-{now/d}>,shop', 'other:Flights'])
      templateOf({ query: { term: { a: { $param: 'x' } } }, index, parameters }).fill({ x: 1 })
  })

  test('an index of its own stands before that of the pipeline', () => {
    expect(templateOf({ query: { match_all: {} }, index: 'shop' }).fill({}).index).toBe('shop')
    expect(templateOf({ query: { match_all: {} } }).fill({}).index).toBe('flights')
  })
})
