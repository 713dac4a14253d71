import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FieldCutter } from './cut-field.ts'

const text = (path: string, source: string) => new FieldCutter(path).text(Buffer.from(source))?.toString()
const count = (path: string, source: string) => new FieldCutter(path).count(Buffer.from(source))

/** What the path means, told the slow way. */
function lookUp(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  let found: unknown
  for (const [name, inner] of Object.entries(value)) {
    if (name === path) found = inner
    else if (path.startsWith(`${name}.`)) found = lookUp(inner, path.slice(name.length + 1)) ?? found
  }
  return found
}

/**
 * Few names, so that paths meet them; dots and escapes among them. No backslash: beside a quotation mark, JSON.parse of
 * Node 24 takes one for the other.
 */
const name = fc.constantFrom('a', 'b', 'a.b', 'é', '"', '', 'b.', 'aa', '\u{1f600}')
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.jsonValue({ maxDepth: 0 }),
    fc.string({ unit: 'binary' }),
    fc.integer(),
    fc.array(tie('any'), { maxLength: 3 }),
    tie('document'),
  ),
  document: fc.dictionary(name, tie('any'), { maxKeys: 5 }),
})).document
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('.'))
const spaced = fc.constantFrom(undefined, 1, '\t')

describe('a field cut out of the bytes', () => {
  test('is what parsing the whole document finds, for any document and path', () => {
    fc.assert(
      fc.property(value, path, spaced, (document, at, space) => {
        const source = JSON.stringify(document, undefined, space)
        const found = lookUp(JSON.parse(source), at)
        if (typeof found === 'string') expect(text(at, source)).toBe(Buffer.from(found).toString())
        else if (Number.isInteger(found) && !/[.e]/i.test(JSON.stringify(found)))
          expect(text(at, source)).toBe(JSON.stringify(found))
        else expect(text(at, source)).toBeUndefined()
        expect(count(at, source)).toBe(
          typeof found === 'number' && Number.isSafeInteger(found) && found >= 0 ? found : undefined,
        )
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([
    ['a nested field', 'a.b', '{"x":[{"b":9}],"a":{"c":{"b":8},"b":"k"}}', 'k'],
    ['a name with a dot in it', 'a.b', '{"a.b":"k"}', 'k'],
    ['both at once in a longer path', 'a.b.c', '{"a":{"b.c":"k"}}', 'k'],
    ['an escaped name and value', 'é', '{"\\u00e9":"\\u00e9\\ud83d\\ude00\\n"}', 'é😀\n'],
    ['a name of one backslash', '\\', '{"\\"":"j","\\\\":"k"}', 'k'],
    ['a long above 2^53, digit for digit', 'n', '{"n":9223372036854775807}', '9223372036854775807'],
    ['a negative number', 'n', '{ "n" : -5 }', '-5'],
    ['the last of a repeated name', 'a', '{"a":"1","a":"2"}', '2'],
  ])('may be %s', (_, at, source, expected) => {
    expect(text(at, source)).toBe(expected)
  })

  test.each([
    ['missing', '{}'],
    ['null', '{"a":null}'],
    ['true', '{"a":true}'],
    ['a fraction', '{"a":1.0}'],
    ['a number with an exponent', '{"a":1e3}'],
    ['a list', '{"a":["k"]}'],
    ['an object', '{"a":{"b":"k"}}'],
    ['only deeper down', '{"b":{"a":"k"}}'],
    ['the start of a longer name', '{"ab":"k","a.b":"k"}'],
  ])('is not there when it is %s', (_, source) => {
    expect(text('a', source)).toBeUndefined()
    expect(count('a', source)).toBeUndefined()
  })

  test('that counts must be whole, from 0 to 2^53', () => {
    expect(count('v', '{"v":9007199254740991}')).toBe(9007199254740991)
    for (const wrong of ['9007199254740993', '-1', '"7"', '1.5'])
      expect(count('v', `{"v":${wrong}}`)).toBeUndefined()
  })

  test('of bytes that are cut off is refused, never read as missing', () => {
    const source = '{"x":{"y":[1,"]"]},"a":{"b":"k"}}'
    for (let end = 0; end < source.length; end++)
      expect(() => text('a.b', source.slice(0, end))).toThrow(/HIT|not a search response/)
  })
})
