/** What lives in a shard of a real Elasticsearch. */
import { Buffer } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { refresh } from '@freshet/adapters/elasticsearch/read-page.ts'
import { readShards } from '@freshet/adapters/elasticsearch/shards.ts'
import { scopeOf } from '@freshet/capture/scope.ts'
import { loadSettings } from '@freshet/config/load.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { afterAll, expect, test, vi } from 'vitest'
import { readLiveKeys } from './live-keys.ts'
import type { LiveTable } from './live-table.ts'
import { readLiving } from './living-shards.ts'
import { Pace } from './pace.ts'

const { elasticsearch } = loadSettings({ env: process.env })
const client = connectElasticsearch(elasticsearch)
const names = new Set<string>()
const WAIT = { timeout: 45_000, interval: 100 }
const soon = () => AbortSignal.timeout(45_000)

afterAll(async () => {
  await client.indices.delete({ index: [...names], ignore_unavailable: true })
  await client.close()
})

async function indexOf(documents: Readonly<Record<string, object>>, settings: object = {}): Promise<string> {
  const index = `live-${randomUUID()}`
  names.add(index)
  await client.indices.create({ index, settings: { number_of_replicas: 0, ...settings } })
  const operations = Object.entries(documents).flatMap(([id, document]) => [
    { index: { _index: index, _id: id } },
    document,
  ])
  await client.bulk({ operations })
  return index
}

async function liveIn(
  index: string,
  settings: Partial<Settings['elasticsearch']> = {},
  maxTableBytes = Number.POSITIVE_INFINITY,
): Promise<LiveTable | undefined> {
  await refresh(client, index, soon())
  const { identity } = await vi.waitFor(async () => {
    const [shard] = (await readShards(client, index, soon())).readable
    expect(shard).toBeDefined() // a new shard may not be started everywhere at once
    return shard!
  }, WAIT)
  const place = { index, shard: 0, node: identity.node }
  const options = { maxTableBytes, pace: new Pace(systemClock, 1), signal: soon() }
  const scope = scopeOf({ ...elasticsearch, ...settings })
  return (await readLiveKeys(client, place, { ...options, scope }))?.seal()
}

const has = (live: LiveTable | undefined, key: string) =>
  live!.has(Buffer.from(key), 0, Buffer.byteLength(key))
const numbered = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`d${i}`, { n: i }]))

test('every document is there under its key, however few the index allows in one page, and no deleted one', async () => {
  const index = await indexOf(numbered(50), { max_result_window: 7 })
  await client.delete({ index, id: 'd20' })
  const live = await liveIn(index)
  expect(live?.size).toBe(49)
  for (let i = 0; i < 50; i++) expect(has(live, `${index}/d${i}`)).toBe(i !== 20)
})

test('in a shrunk index, where sequence numbers repeat, none is left out at the end of a page', async () => {
  const wide = await indexOf(numbered(120), { number_of_shards: 4 })
  await client.indices.putSettings({ index: wide, settings: { 'index.blocks.write': true } })
  const index = `live-${randomUUID()}`
  names.add(index)
  const settings = { 'index.number_of_shards': 1, 'index.max_result_window': 7, 'index.blocks.write': null }
  await client.indices.shrink({ index: wide, target: index, settings, wait_for_active_shards: 1 })
  const live = await liveIn(index)
  expect(live?.size).toBe(120)
})

test('a document that the filter leaves out, or that is marked as deleted, does not live', async () => {
  const index = await indexOf({ a: { n: 1 }, b: { n: 2 }, c: { n: 1, gone: true } })
  const live = await liveIn(index, { filter: { term: { n: 1 } }, softDeleteField: 'gone' })
  expect(['a', 'b', 'c'].map((id) => has(live, `${index}/${id}`))).toEqual([true, false, false])
})

test('keys from a field are those that the documents have now', async () => {
  const index = await indexOf({ 1: { sku: { code: 'red' } }, 2: { sku: { code: 17 } }, 3: { other: 1 } })
  const live = await liveIn(index, { key: 'field:sku.code' })
  expect(live?.size).toBe(2)
  expect(['red', '17'].map((key) => has(live, key))).toEqual([true, true])
})

test('what needs more memory than allowed is given up', async () => {
  expect(await liveIn(await indexOf(numbered(3)), {}, 10)).toBeUndefined()
})

test('a shard that alone needs more memory than allowed is read all the same, and the others wait for their turn', async () => {
  const index = await indexOf(numbered(20), { number_of_shards: 2 })
  const views = await vi.waitFor(async () => {
    const { readable } = await readShards(client, index, soon())
    expect(readable).toHaveLength(2)
    return readable
  }, WAIT)
  const { living, rest } = await readLiving(views, {
    client,
    scope: scopeOf(elasticsearch),
    maxMemoryBytes: 10,
    clock: systemClock,
    signal: soon(),
    onProgress: () => {},
  })
  expect(living.map(({ view }) => view)).toEqual(views.slice(0, 1))
  expect(rest).toEqual(views.slice(1))
})
