import { Buffer } from 'node:buffer'
import { isFreshetError } from '@freshet/errors/errors.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cutPool } from './cut-pool.ts'

const shards = { total: 2, successful: 2, failed: 0 }
const response = (more: object) =>
  Buffer.from(JSON.stringify({ timed_out: false, _shards: shards, hits: { max_score: null }, ...more }))

test('documents keep their bytes and their order', () => {
  const document = fc.dictionary(fc.string(), fc.jsonValue())
  const hit = fc.record({
    _index: fc.string({ minLength: 1 }),
    _id: fc.string({ minLength: 1 }),
    _source: document,
  })
  fc.assert(
    fc.property(fc.array(hit), (hits) => {
      const pool = cutPool(response({ hits: { max_score: 1, hits } }))
      expect(pool.isWhole).toBe(true)
      expect(pool.hits.map(({ index, id }) => [index, id])).toEqual(
        hits.map(({ _index, _id }) => [_index, _id]),
      )
      expect(pool.hits.map(({ source }) => source.toString())).toEqual(
        hits.map(({ _source }) => JSON.stringify(_source)),
      )
    }),
  )
})

test('a document of which nothing was asked for is an empty one, and a pool may be empty', () => {
  const hits = [{ _index: 'a', _id: '1' }]
  expect(cutPool(response({ hits: { hits } })).hits[0]?.source.toString()).toBe('{}')
  expect(cutPool(response({}))).toEqual({ hits: [], isWhole: true })
})

test.each([
  ['a shard that failed', { _shards: { total: 2, successful: 1, failed: 1 } }],
  ['a shard that is not there', { _shards: { total: 2, successful: 1, failed: 0 } }],
  ['a search that ran out of time', { timed_out: true }],
  ['a search that was stopped', { terminated_early: true }],
])('%s makes it a part', (_, more) => {
  expect(cutPool(response(more)).isWhole).toBe(false)
})

test('what is cut off, or no search response, is malformed', () => {
  const whole = response({ hits: { hits: [{ _index: 'a', _id: '1', _source: { b: 'ü"' } }] } })
  for (let length = 0; length < whole.length - 1; length++)
    expect(() => cutPool(whole.subarray(0, length))).toThrow(
      expect.objectContaining({ code: 'HIT_MALFORMED' }),
    )
  for (const text of ['{}', '[]', '{"hits":{"hits":[{}]},"_shards":{}}', '<html>'])
    try {
      cutPool(Buffer.from(text))
      expect.unreachable()
    } catch (error) {
      expect(isFreshetError(error, 'HIT_MALFORMED')).toBe(true)
    }
})
