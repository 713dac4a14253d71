import { settingsSchema } from '@freshet/config/schema.ts'
import { describe, expect, test } from 'vitest'
import { scopeOf } from './scope.ts'

const scope = (settings: object = {}) =>
  scopeOf(settingsSchema.parse({ elasticsearch: settings }).elasticsearch)

describe('a scope', () => {
  test('without any setting is every document, whole, under its index and id', () => {
    expect(scope()).toEqual({ hash: expect.stringMatching(/^[0-9a-f]{16}$/), key: 'index/id' })
  })

  test('has one query for filter and soft delete', () => {
    const filter = { term: { status: 'open' } }
    const must_not = [{ term: { gone: true } }]
    expect(scope({ filter }).query).toEqual(filter)
    expect(scope({ softDeleteField: 'gone' }).query).toEqual({ bool: { must_not } })
    expect(scope({ filter, softDeleteField: 'gone' }).query).toEqual({ bool: { filter: [filter], must_not } })
  })

  test('tells a field that names documents from a scheme', () => {
    expect(scope({ key: 'id' }).key).toBe('id')
    expect(scope({ key: 'field:id' }).key).toEqual({ field: 'id' })
    expect(scope({ key: 'field:customer.id' }).key).toEqual({ field: 'customer.id' })
  })

  test.each([
    ['filter', { filter: { match_all: {} } }],
    ['soft delete field', { softDeleteField: 'gone' }],
    ['included fields', { includeFields: ['a'] }],
    ['excluded fields', { excludeFields: ['a'] }],
    ['key', { key: 'id' }],
    ['version field', { versionField: 'v' }],
  ])('of another %s is another scope, so documents are read again', (_, settings) => {
    expect(scope(settings).hash).not.toBe(scope().hash)
  })

  test('is the same however the settings are ordered and wherever they stand, so nothing is read again', () => {
    const one = scope({ filter: { bool: { must: [], filter: [{ a: 1 }] } }, includeFields: ['a', 'b'] })
    const other = scope({ includeFields: ['b', 'a'], filter: { bool: { filter: [{ a: 1 }], must: [] } } })
    expect(other.hash).toBe(one.hash)
    expect(scope({ pageRows: 10, url: 'http://elsewhere:1' }).hash).toBe(scope().hash)
  })
})
