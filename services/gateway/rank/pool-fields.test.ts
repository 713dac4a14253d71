import { expect, test } from 'vitest'
import { poolFields } from './pool-fields.ts'

const all = { key: 'index/id', includeFields: [], excludeFields: [] }
const including = (...includes: string[]) => ({ includes, excludes: [] })

test.each([
  ['no model wants nothing of the documents', [], all, false],
  ['each field that the model reads, once', ['/b', '/a/c', '/a/c'], all, including('a.c', 'b')],
  ['a list is wanted whole', ['/legs/0/miles', '/legs/1/miles'], all, including('legs')],
  ['escapes are taken off', ['/a~1b', '/c~0d'], all, including('a/b', 'c~d')],
  ['the key’s field comes along', ['/a'], { ...all, key: 'field:id.code' }, including('a', 'id.code')],
  ['and alone where there is no model', [], { ...all, key: 'field:sku' }, including('sku')],
  [
    'what does not travel to the scorer is not read here',
    ['/a', '/b/c'],
    { ...all, includeFields: ['b*'] },
    including('b.c'),
  ],
  [
    'nor what stays behind',
    ['/a', '/b'],
    { ...all, excludeFields: ['b'] },
    { includes: ['a'], excludes: ['b'] },
  ],
])('%s', (_, paths, scope, source) => {
  expect(poolFields(paths, scope).source).toEqual(source)
})

test('models that read the same fields can use each other’s pools', () => {
  expect(poolFields(['/a', '/b'], all).signature).toBe(poolFields(['/b', '/a', '/b'], all).signature)
  expect(poolFields(['/a'], all).signature).not.toBe(poolFields(['/b'], all).signature)
})
