import { randomBytes } from 'node:crypto'
import { loadSettings } from '@freshet/config/load.ts'
import type { Hit } from '@freshet/records/hit.ts'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connectElasticsearch } from './connect.ts'
import { type PageRequest, readPage, refresh } from './read-page.ts'
import { readShards } from './shards.ts'

const soon = () => AbortSignal.timeout(45_000)

/** An index of one shard for one test. */
async function scratchIndex(body: { readonly settings?: object; readonly mappings?: object } = {}) {
  const index = `t${randomBytes(6).toString('hex')}`
  const client = connectElasticsearch(loadSettings({ env: process.env }).elasticsearch)
  onTestFinished(async () => {
    await client.transport.request({
      method: 'DELETE',
      path: `/${index}`,
      querystring: { ignore_unavailable: true },
    })
    await client.close()
  })
  const settings = { number_of_shards: 1, number_of_replicas: 0, ...body.settings }
  await client.transport.request({ method: 'PUT', path: `/${index}`, body: { ...body, settings } })
  const view = async () => {
    const { readable } = await readShards(client, index, soon())
    if (readable[0] === undefined) throw new Error(`${index} cannot be read`)
    return readable[0]
  }
  await expect.poll(view, { timeout: 45_000 }).toBeDefined()
  const { node } = (await view()).identity
  return {
    client,
    index,
    view,
    /** @param source sent as it is. */
    put: (id: string, source: string | object) =>
      client.transport.request(
        {
          method: 'PUT',
          path: `/${index}/_doc/${encodeURIComponent(id)}`,
          body: typeof source === 'string' ? source : JSON.stringify(source),
        },
        { headers: { 'content-type': 'application/json' } },
      ),
    remove: (id: string) =>
      client.transport.request({ method: 'DELETE', path: `/${index}/_doc/${id}` }, { ignore: [404] }),
    refresh: () => refresh(client, index, soon()),
    read: async (more: Partial<PageRequest> = {}) => {
      const request = { index, shard: 0, node, from: FROM_THE_START, toSeqNo: 1_000, rows: 100, ...more }
      const page = await readPage(client, request, soon())
      return { ...page, hits: [...page.hits] }
    },
  }
}

const FROM_THE_START = { seqNo: -1, inclusive: false }

const ids = (hits: Iterable<Hit>) => Array.from(hits, ({ id }) => id)

describe('a page', () => {
  test('of a shard that does not exist, which answers 200 with no hits, is never "nothing new"', async () => {
    const { read } = await scratchIndex()
    await expect(read({ shard: 7 })).rejects.toMatchObject({ code: 'SEARCH_PARTIAL', retryable: true })
  })

  test('of a node that does not hold the primary is read again elsewhere', async () => {
    const { read } = await scratchIndex()
    await expect(read({ node: 'elsewhere' })).rejects.toMatchObject({
      code: 'SHARD_UNAVAILABLE',
      retryable: true,
    })
  })

  test('of an index that is closed or gone is an error, never "nothing new"', async () => {
    const { client, index, read } = await scratchIndex()
    await client.transport.request({ method: 'POST', path: `/${index}/_close` })
    await expect(read()).rejects.toMatchObject({ code: 'SHARD_UNAVAILABLE' })
    await client.transport.request({ method: 'DELETE', path: `/${index}` })
    await expect(read()).rejects.toMatchObject({ code: 'INDEX_MISSING' })
  })

  test('of an index that has never had a document is empty', async () => {
    const { read } = await scratchIndex()
    expect((await read()).hits).toEqual([])
    expect((await read({ scope: { term: { live: true } }, source: false })).hits).toEqual([])
  })

  test('of more rows than index.max_result_window says how many there may be', async () => {
    const { put, refresh, read } = await scratchIndex({ settings: { max_result_window: 5 } })
    await put('a', {})
    await refresh()
    await expect(read({ rows: 6 })).rejects.toMatchObject({ code: 'PAGE_TOO_LARGE', maxRows: 5 })
    expect(ids((await read({ rows: 5 })).hits)).toEqual(['a'])
  })

  test('keeps every byte: longs above 2^53, repeated names, escapes, white space', async () => {
    const { put, refresh, read } = await scratchIndex({ mappings: { enabled: false } })
    const sources = [
      '{"n":9223372036854775807,"d":0.1000000000000000055511151231257827}',
      '{"s":"\\u00e9\\ud83d\\ude00 é😀 \\"\\\\ \\/"}',
      '{ "a" : [ 1 ,\n 2 ] ,\t"" : null }',
    ]
    for (const [row, source] of sources.entries()) await put(`${row}`, source)
    // Most servers refuse a repeated name before they look at the mapping.
    const isTaken = await put('twice', '{"a":1,"a":2}').then(
      () => true,
      () => false,
    )
    await refresh()
    const { hits } = await read()
    expect(hits.map(({ source }) => source.toString())).toEqual(
      isTaken ? [...sources, '{"a":1,"a":2}'] : sources,
    )
  })

  test('of documents of 10 MB is given up beyond its bytes; one document always passes, byte for byte', async () => {
    const { put, refresh, read } = await scratchIndex({ mappings: { enabled: false } })
    const source = JSON.stringify({ text: 'é'.repeat(5 * 1024 * 1024) })
    await put('a', source)
    await put('b', source)
    await refresh()
    await expect(read({ maxBytes: 16 * 1024 * 1024 })).rejects.toMatchObject({ code: 'PAGE_TOO_LARGE' })
    const { hits, bytes } = await read({ rows: 1, maxBytes: 16 * 1024 * 1024 })
    expect(hits[0]!.source.equals(Buffer.from(source))).toBe(true)
    expect(bytes).toBeGreaterThan(source.length)
  })

  test('leaves out the holes of deletes and overwritten versions, and stays within its numbers', async () => {
    const { put, remove, refresh, read, view } = await scratchIndex()
    for (const id of ['a', 'b', 'a', 'c', 'd']) await put(id, {})
    await remove('d')
    await remove('missing')
    await refresh()
    expect((await view()).globalCheckpoint).toBe(6)
    expect((await read()).hits.map(({ id, seqNo }) => [id, seqNo])).toEqual([
      ['b', 1],
      ['a', 2],
      ['c', 3],
    ])
    expect(ids((await read({ toSeqNo: 2 })).hits)).toEqual(['b', 'a'])
    expect(ids((await read({ from: { seqNo: 2, inclusive: true } })).hits)).toEqual(['a', 'c'])
    expect((await read({ from: { seqNo: 3, inclusive: false } })).hits).toEqual([])
  })

  test('shows what was written to an index that no search has woken for long, once it is refreshed', async () => {
    const { put, refresh, read } = await scratchIndex({ settings: { 'search.idle.after': '0s' } })
    for (let n = 0; n < 3; n++) {
      await put(`${n}`, {})
      await refresh()
      expect((await read()).hits).toHaveLength(n + 1)
    }
  })

  test('can be of given sequence numbers', async () => {
    const { put, refresh, client, index, view } = await scratchIndex()
    for (const id of ['a', 'b', 'c', 'b']) await put(id, {})
    await refresh()
    const { node } = (await view()).identity
    const { hits } = await readPage(client, { index, shard: 0, node, rows: 10, seqNos: [0, 1, 3] }, soon())
    expect(ids(hits)).toEqual(['a', 'b'])
  })
})

describe('a scope', () => {
  const properties = { n: { type: 'integer' }, gone: { type: 'boolean' }, ip: { type: 'ip' } }

  test.each([
    ['all', { match_all: {} }, '123'],
    ['none', { match_none: {} }, ''],
    ['a field that is there', { exists: { field: 'gone' } }, '23'],
    ['a range that holds all', { range: { n: { gte: 0 } } }, '123'],
    ['a range that holds none', { range: { n: { gte: 100 } } }, ''],
    ['a range that holds some', { range: { n: { gte: 2 } } }, '23'],
    ['a term', { term: { n: 1 } }, '1'],
    ['a field that is not mapped', { term: { nowhere: 1 } }, ''],
    ['ids', { ids: { values: ['1', '3'] } }, '13'],
    ['not deleted', { bool: { must_not: [{ term: { gone: true } }] } }, '13'],
    [
      'not deleted by a field that is not mapped',
      { bool: { must_not: [{ term: { nowhere: true } }] } },
      '123',
    ],
    ['named queries of its own', { bool: { should: [{ term: { n: { value: 2, _name: 'theirs' } } }] } }, '2'],
    ['a score that does not matter', { constant_score: { filter: { terms: { n: [1, 2] } } } }, '12'],
  ])('marks %s and leaves nothing out', async (_, scope, inScope) => {
    const { put, refresh, read } = await scratchIndex({ mappings: { properties } })
    await put('1', { n: 1 })
    await put('2', { n: 2, gone: true })
    await put('3', { n: 3, gone: false })
    await refresh()
    const { hits } = await read({ scope })
    expect(ids(hits)).toEqual(['1', '2', '3'])
    expect(ids(hits.filter(({ isInScope }) => isInScope)).join('')).toBe(inScope)
  })

  test('that an index refuses is told with the reason', async () => {
    const { read } = await scratchIndex({ mappings: { properties } })
    await expect(read({ scope: { term: { ip: 'nonsense' } } })).rejects.toMatchObject({
      code: 'ELASTICSEARCH_REFUSED',
      message: expect.stringContaining('nonsense'),
    })
  })

  test('without documents, or with some of their fields, keeps the numbers as they are', async () => {
    const { put, refresh, read } = await scratchIndex()
    await put('1', '{"a":{"b":9007199254740993,"c":1},"d":2}')
    await refresh()
    expect((await read({ source: false })).hits[0]).toMatchObject({
      id: '1',
      seqNo: 0,
      source: { length: 0 },
    })
    const [hit] = (await read({ source: { includes: ['a.*'], excludes: ['a.c'] } })).hits
    expect(hit!.source.toString()).toBe('{"a":{"b":9007199254740993}}')
  })
})
