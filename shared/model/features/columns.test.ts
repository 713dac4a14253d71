import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Column } from '../bundle/spec.ts'
import { compileColumns, type RowProblem } from './columns.ts'

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

function write(value: unknown, into = new Float32Array(columns.length)): number[] | RowProblem {
  return compileColumns(columns).write(value, into, 0) ?? [...into]
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
    const matrix = new Float32Array(3 * columns.length).fill(7)
    expect(compileColumns(columns).write(document, matrix, 1)).toBeNull()
    expect([...matrix]).toEqual([...Array(5).fill(7), 4, 529, 1, 1, 5, ...Array(5).fill(7)])
  })
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
