import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compilePointer } from './json-pointer.ts'

/** The example of RFC 6901, section 5. */
const example = {
  foo: ['bar', 'baz'],
  '': 0,
  'a/b': 1,
  'c%d': 2,
  'e^f': 3,
  'g|h': 4,
  'i\\j': 5,
  'k"l': 6,
  ' ': 7,
  'm~n': 8,
}

test.each([
  ['/foo', ['bar', 'baz']],
  ['/foo/0', 'bar'],
  ['/', 0],
  ['/a~1b', 1],
  ['/c%d', 2],
  ['/e^f', 3],
  ['/g|h', 4],
  ['/i\\j', 5],
  ['/k"l', 6],
  ['/ ', 7],
  ['/m~0n', 8],
  ['/foo/2', undefined],
  ['/foo/01', undefined],
  ['/foo/length', undefined],
  ['/foo/0/length', undefined],
  ['/constructor', undefined],
  ['/constructor/name', undefined],
  ['/__proto__', undefined],
])('%s finds what RFC 6901 says', (pointer, value) => {
  expect(compilePointer(pointer)(example)).toEqual(value)
})

test('any path of names is found again', () => {
  const names = fc.array(fc.string(), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(names, fc.integer(), (path, leaf) => {
      const root = path.reduceRight<unknown>((inner, name) => Object.fromEntries([[name, inner]]), leaf)
      const pointer = path.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
      expect(compilePointer(pointer)(root as object)).toBe(leaf)
    }),
  )
})
