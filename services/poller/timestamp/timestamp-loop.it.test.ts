/** Capture by timestamp from a real Elasticsearch into a real Kafka. */
import { errors } from '@elastic/elasticsearch'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Pipeline } from '../pipeline.kit.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })
const WAIT = { timeout: 60_000, interval: 50 }

let pipeline: Pipeline
beforeAll(async () => {
  pipeline = await Pipeline.open({
    FRESHET_ELASTICSEARCH_MODE: 'timestamp',
    FRESHET_ELASTICSEARCH_TIMESTAMP_FIELD: 'at',
    FRESHET_ELASTICSEARCH_TIMESTAMP_OVERLAP_SECONDS: '4',
    FRESHET_ELASTICSEARCH_SOFT_DELETE_FIELD: 'gone',
    FRESHET_ELASTICSEARCH_PAGE_ROWS: '3',
  })
  pipeline.startPoller()
  await pipeline.startScorer({ hasS3: false })
})
afterAll(() => pipeline[Symbol.asyncDispose]())

async function createIndex(
  name: string,
  at: object = { type: 'date' },
  settings: object = {},
): Promise<string> {
  const index = `${pipeline.prefix}${name}`
  await pipeline.createIndex(index, {
    settings: { number_of_shards: 2, ...settings },
    mappings: { properties: { at } },
  })
  return index
}

const sourceOf = (index: string, id: string) => pipeline.newest.get(`${index}/${id}`)?.source?.toString()

test('an index with disabled sequence numbers is captured from end to end, its documents byte for byte', async ({
  skip,
}) => {
  const settings = { 'index.disable_sequence_numbers': true }
  const index = await createIndex('no-seq-no', { type: 'date' }, settings).catch((error: unknown) => {
    if (error instanceof errors.ResponseError && error.statusCode === 400)
      return skip(`this Elasticsearch has no such index: ${error.message}`)
    throw error
  })
  const source = '{"at": "2024-01-01T00:00:00Z", "n": 9223372036854775807}'
  const body = `${JSON.stringify({ index: { _index: index, _id: 'a' } })}\n${source}\n`
  const { errors: refused } = await pipeline.client.transport.request<{ errors: boolean }>({
    method: 'POST',
    path: '/_bulk',
    bulkBody: body,
  })
  expect(refused).toBe(false)
  await vi.waitFor(() => expect(sourceOf(index, 'a')).toBe(source), WAIT)
})

test('of many documents with one timestamp none is lost between two pages', async () => {
  const index = await createIndex('equal')
  const ids = Array.from({ length: 20 }, (_, id) => String(id))
  await pipeline.write(index, Object.fromEntries(ids.map((id) => [id, { at: 1_700_000_000_000 }])))
  await vi.waitFor(() => {
    for (const id of ids) expect(pipeline.standing(`${index}/${id}`)).toBe('lives')
  }, WAIT)
})

test('a changed document is captured again, and its newest version wins, also within one millisecond', async () => {
  const index = await createIndex('changed')
  const at = 1_700_000_000_000
  await pipeline.write(index, { a: { at, n: 1 } })
  await vi.waitFor(() => expect(sourceOf(index, 'a')).toContain('"n":1'), WAIT)
  await pipeline.write(index, { a: { at: at + 1, n: 2 } })
  await vi.waitFor(() => expect(sourceOf(index, 'a')).toContain('"n":2'), WAIT)
  await pipeline.write(index, { a: { at: at + 1, n: 3 } })
  await vi.waitFor(() => expect(sourceOf(index, 'a')).toContain('"n":3'), WAIT)
})

test('a document that becomes visible late, but within the overlap, is captured', async () => {
  const index = await createIndex('late')
  const at = 1_700_000_000_000
  await pipeline.write(index, { newest: { at } })
  await vi.waitFor(() => expect(pipeline.standing(`${index}/newest`)).toBe('lives'), WAIT)
  await pipeline.write(index, { late: { at: at - 3_900 }, 'a bit late': { at: at - 500 } })
  await vi.waitFor(() => {
    expect(pipeline.standing(`${index}/late`)).toBe('lives')
    expect(pipeline.standing(`${index}/a bit late`)).toBe('lives')
  }, WAIT)
})

test('dates of any format and precision are captured in their order', async () => {
  const seconds = await createIndex('seconds', { type: 'date', format: 'epoch_second' })
  const nanos = await createIndex('nanos', { type: 'date_nanos' })
  for (const n of [1, 2, 3, 4, 5]) {
    await pipeline.write(seconds, { a: { at: 1_700_000_000 + n, n } })
    await pipeline.write(nanos, { a: { at: `2024-01-01T00:00:00.12345678${n}Z`, n } })
  }
  await vi.waitFor(() => {
    for (const index of [seconds, nanos]) expect(sourceOf(index, 'a')).toContain('"n":5')
  }, WAIT)
})

test('a document marked as deleted becomes a delete', async () => {
  const index = await createIndex('soft')
  await pipeline.write(index, { a: { at: 1_700_000_000_000 } })
  await vi.waitFor(() => expect(pipeline.standing(`${index}/a`)).toBe('lives'), WAIT)
  await pipeline.write(index, { a: { at: 1_700_000_000_001, gone: true } })
  await vi.waitFor(() => expect(pipeline.standing(`${index}/a`)).toBe('deleted'), WAIT)
})

test('an index at rest is not read again, while others are', async () => {
  const index = await createIndex('rest')
  const other = await createIndex('busy')
  await pipeline.write(index, { a: { at: 1_700_000_000_000 } })
  await vi.waitFor(() => expect(pipeline.standing(`${index}/a`)).toBe('lives'), WAIT)
  let round = 0
  await vi.waitFor(async () => {
    const before = await searchesOf(index)
    const id = String(++round)
    await pipeline.write(other, { [id]: { at: 1_700_000_000_000 } })
    await vi.waitFor(() => expect(pipeline.standing(`${other}/${id}`)).toBe('lives'), WAIT)
    expect(await searchesOf(index)).toBe(before)
  }, WAIT)
})

/** Elasticsearch's own count. */
async function searchesOf(index: string): Promise<number> {
  const { _all } = await pipeline.client.indices.stats({ index, metric: 'search' })
  return _all?.total?.search?.query_total ?? 0
}

test('an index that cannot be captured is left out and counted, and the others go on', async () => {
  const index = `${pipeline.prefix}no-source`
  await pipeline.createIndex(index, { mappings: { _source: { enabled: false } } })
  await vi.waitFor(() => {
    expect(pipeline.metrics.values()['freshet.poller.refused']).toBe(1)
    expect(pipeline.warnings.join()).toContain(`${index} has _source disabled`)
  }, WAIT)
  const good = await createIndex('good')
  await pipeline.write(good, { a: { at: 1 } })
  await vi.waitFor(() => expect(pipeline.standing(`${good}/a`)).toBe('lives'), WAIT)
})
