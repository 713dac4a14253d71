import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Column } from '../bundle/spec.ts'
import type { ElementType } from '../onnx/graph.ts'
import { compileColumns, type RowProblem } from './columns.ts'
import { sliceFeatures } from './features.ts'

const columns: Column[] = [
  { name: 'delay', path: '/delay', type: 'number', default: -1 },
  { name: 'distance', path: '/route/distance', type: 'number', required: true },
  { name: 'full', path: '/full', type: 'boolean', default: 0.5 },
  {
    name: 'carrier',
    path: '/carrier',
    type: 'category',
    required: true,
    categories: ['AA', 'UA'],
    unknown: -9,
  },
  {
    name: 'hour',
    path: '/departs',
    type: 'time',
    part: 'hour',
    timeZone: 'America/New_York',
    required: true,
  },
]
const document = {
  delay: 4,
  route: { distance: 529 },
  full: true,
  carrier: 'UA',
  departs: '2013-12-01T10:00:00Z',
}

function write(value: unknown, wanted = columns, elements?: ElementType[]): unknown[] | RowProblem {
  const writer = compileColumns(wanted, elements)
  const into = writer.allocate(1)
  return writer.write(value, into, 0) ?? [...into.numbers, ...into.texts]
}

describe('a document as a row', () => {
  test('each column holds what the document says at its path', () => {
    expect(write(document)).toEqual([4, 529, 1, 1, 5])
  })

  test('bytes of _source and the parsed document give the same row', () => {
    const bytes = Buffer.from(`  ${JSON.stringify(document)}`)
    expect(write(bytes)).toEqual(write(document))
    expect(write(new Uint8Array(bytes))).toEqual(write(document))
  })

  test('a missing or null field with a default takes the default', () => {
    const { delay: _, ...without } = document
    expect(write(without)).toEqual([-1, 529, 1, 1, 5])
    expect(write({ ...document, delay: null, full: null })).toEqual([-1, 529, 0.5, 1, 5])
  })

  test('a category that the model does not know takes the code for unknown', () => {
    expect(write({ ...document, carrier: 'ZZ' })).toEqual([4, 529, 1, -9, 5])
  })

  test('only its own row of the matrix is written', () => {
    const writer = compileColumns(columns)
    const features = writer.allocate(3)
    features.numbers.fill(7)
    expect(writer.write(document, features, 1)).toBeNull()
    expect([...features.numbers]).toEqual([...Array(5).fill(7), 4, 529, 1, 1, 5, ...Array(5).fill(7)])
  })
})

describe('a number is transformed: bounds, then logarithm, then scale', () => {
  const price = (more: object): Column[] => [
    { name: 'price', path: '/price', type: 'number', required: true, ...more },
  ]

  test.each([
    [{ clip: [0, 10] }, 12, 10],
    [{ clip: [0, 10] }, -12, 0],
    [{ clip: [0, 10] }, 1e39, 10],
    [{ log: 'ln' }, 1, 0],
    [{ log: 'log1p' }, 0, 0],
    [{ scale: { mean: 2, deviation: 0.5 } }, 3, 2],
    [{ clip: [0, 7], log: 'log1p', scale: { mean: Math.log(8), deviation: 2 } }, 1e9, 0],
  ])('%j: %d becomes %d', (more, from, to) => {
    expect(write({ price: from }, price(more))).toEqual([to])
  })

  test.each([
    [{ log: 'ln' }, 0, '/price is not a number within float32 after ln of column price'],
    [{ log: 'ln' }, -1, '/price is not a number within float32 after ln of column price'],
    [
      { clip: [-9, 9], log: 'log1p', scale: { mean: 0, deviation: 1 } },
      -1,
      '/price is not a number within float32 after clip, log1p, scale of column price',
    ],
    [{ scale: { mean: 0, deviation: 1e-30 } }, 1e20, /after scale of column price$/],
    [{ log: 'ln' }, '7', '/price holds a value of type string; column price wants a number within float32'],
  ])('%j: %j has no result', (more, value, message) => {
    expect(write({ price: value }, price(more))).toMatchObject({
      code: 'FIELD_TYPE',
      at: '/price',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    })
  })

  test('a default is what the model is given, and is not transformed', () => {
    const columns: Column[] = [{ name: 'price', path: '/price', type: 'number', default: -5, log: 'ln' }]
    expect(write({}, columns)).toEqual([-5])
  })
})

describe('a column with a tensor of its own', () => {
  const one = (type: 'number' | 'boolean' | 'text'): Column[] => [
    { name: 'x', path: '/x', type, required: true },
  ]

  test.each<[ElementType, unknown, unknown]>([
    ['float32', 0.1, 0.1],
    ['float64', 1e300, 1e300],
    ['int32', -(2 ** 31), -(2 ** 31)],
    ['int64', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ['bool', 1, 1],
    ['string', 'naïve', 'naïve'],
  ])('of %s holds %j exactly', (element, from, to) => {
    expect(write({ x: from }, one(element === 'string' ? 'text' : 'number'), [element])).toEqual([to])
  })

  test.each<[ElementType, unknown, string]>([
    ['float32', 1e39, 'a number within float32'],
    ['int32', 1.5, 'a whole number within int32'],
    ['int32', 2 ** 31, 'a whole number within int32'],
    ['int64', 2 ** 53, 'a whole number within ±2^53'],
    ['bool', 2, '0 or 1'],
    ['string', 7, 'a string'],
  ])('of %s does not take %j', (element, value, wanted) => {
    const problem = write({ x: value }, one(element === 'string' ? 'text' : 'number'), [element])
    expect(problem).toMatchObject({ code: 'FIELD_TYPE', message: expect.stringContaining(`wants ${wanted}`) })
  })

  test('texts and numbers of a row find their places', () => {
    const columns: Column[] = [
      { name: 'a', path: '/a', type: 'text', default: 'none' },
      { name: 'b', path: '/b', type: 'number', required: true },
      { name: 'c', path: '/c', type: 'text', required: true },
    ]
    const writer = compileColumns(columns, ['string', 'int64', 'string'])
    const features = writer.allocate(2)
    expect(writer.write({ b: 1, c: 'x' }, features, 0)).toBeNull()
    expect(writer.write({ a: 'y', b: 2, c: 'z' }, features, 1)).toBeNull()
    expect([...features.numbers]).toEqual([1, 2])
    expect(features.texts).toEqual(['none', 'x', 'y', 'z'])
    const second = sliceFeatures(features, 1, 2)
    expect([second.rows, ...second.numbers, ...second.texts]).toEqual([1, 2, 'y', 'z'])
    expect(second.numbers.buffer).toBe(features.numbers.buffer)
  })

  test.each<[string, Column, ElementType, string]>([
    ['text', { name: 'x', path: '/x', type: 'text', default: '' }, 'float32', 'the model wants float32'],
    ['a number', { name: 'x', path: '/x', type: 'number', default: 0 }, 'string', 'the model wants string'],
    [
      'a number',
      { name: 'x', path: '/x', type: 'number', default: 0 },
      'float16',
      'a tensor of float16 cannot be fed',
    ],
    [
      'a fraction',
      { name: 'x', path: '/x', type: 'number', default: 0.5 },
      'int64',
      '0.5 is not a whole number',
    ],
    [
      'an unknown that does not fit',
      { name: 'x', path: '/x', type: 'category', categories: ['a'], unknown: 0.5, required: true },
      'int32',
      '0.5 is not a whole number',
    ],
  ])('is refused where it is fed with %s and wants %s', (_, column, element, message) => {
    const compiling = () => compileColumns([column], [element])
    expect(compiling).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }))
    expect(compiling).toThrow(message)
  })
})

test('a writer counts what it meets, column by column', () => {
  const writer = compileColumns(columns)
  const into = writer.allocate(1)
  for (const value of [
    document,
    { ...document, delay: 6, carrier: 'ZZ' },
    { ...document, delay: undefined },
    { ...document, route: undefined },
    null,
  ])
    writer.write(value, into, 0)
  expect(writer.counts()).toEqual([
    { name: 'delay', rows: 4, missing: 1, unknown: 0, sum: 14 },
    { name: 'distance', rows: 4, missing: 1, unknown: 0, sum: 3 * 529 },
    { name: 'full', rows: 3, missing: 0, unknown: 0, sum: 3 },
    { name: 'carrier', rows: 3, missing: 0, unknown: 1, sum: 1 - 9 + 1 },
    { name: 'hour', rows: 3, missing: 0, unknown: 0, sum: 15 },
  ])
})

describe('a document that cannot be scored says why and where', () => {
  test.each([
    ['a missing required field', { ...document, carrier: undefined }, 'FIELD_MISSING', '/carrier'],
    ['a required field that is null', { ...document, carrier: null }, 'FIELD_MISSING', '/carrier'],
    ['a missing object on the way', { ...document, route: undefined }, 'FIELD_MISSING', '/route/distance'],
    ['a scalar on the way', { ...document, route: 'LGA' }, 'FIELD_MISSING', '/route/distance'],
    ['text for a number', { ...document, route: { distance: '529' } }, 'FIELD_TYPE', '/route/distance'],
    ['text where there is a default', { ...document, delay: 'late' }, 'FIELD_TYPE', '/delay'],
    ['a number beyond float32', { ...document, delay: 1e39 }, 'FIELD_TYPE', '/delay'],
    ['a number for a boolean', { ...document, full: 1 }, 'FIELD_TYPE', '/full'],
    ['a number for a category', { ...document, carrier: 7 }, 'FIELD_TYPE', '/carrier'],
    ['a list for a category', { ...document, carrier: ['UA'] }, 'FIELD_TYPE', '/carrier'],
    ['no moment for a time', { ...document, departs: 'soon' }, 'FIELD_TYPE', '/departs'],
  ])('%s', (_, broken, code, at) => {
    expect(write(broken)).toMatchObject({ code, at })
    expect(write(Buffer.from(JSON.stringify(broken)))).toMatchObject({ code, at })
  })

  test.each(['', '{"delay":4', 'null', '[1]', '"text"', '17'])('not a JSON object: %s', (text) => {
    expect(write(Buffer.from(text))).toMatchObject({ code: 'DOCUMENT_NOT_JSON', at: null })
  })

  test('the message names the column but never repeats the value', () => {
    const problem = write({ ...document, carrier: { secret: 'hunter2' } }) as RowProblem
    expect(problem.message).toBe('/carrier holds a value of type object; column carrier wants a string')
  })
})

test('whatever the document, a row is finite or its problem points at a column', () => {
  const paths = [...columns.map(({ path }) => path), null]
  const field = fc.oneof(fc.jsonValue(), fc.constantFrom(document.departs, 'UA', true, 12, null, undefined))
  const any = fc.record({
    delay: field,
    full: field,
    carrier: field,
    departs: field,
    route: fc.oneof(field, fc.record({ distance: field })),
  })
  fc.assert(
    fc.property(fc.oneof(any, fc.jsonValue()), (value) => {
      const written = write(Buffer.from(JSON.stringify(value)))
      if (Array.isArray(written)) expect(written.every(Number.isFinite)).toBe(true)
      else expect(paths).toContain(written.at)
    }),
    { numRuns: 500 },
  )
})

test('every float32 in a document arrives in the matrix as it is', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (delay) => {
      expect((write({ ...document, delay }) as number[])[0]).toBe(delay)
    }),
  )
})
