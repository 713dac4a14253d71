/** What Elasticsearch's HTTP says, or whatever stands in its place, through the client and through our own transport. */
import { Buffer } from 'node:buffer'
import { checkCapturable } from '@freshet/adapters/elasticsearch/check.ts'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { cutPool } from '@freshet/adapters/elasticsearch/cut-pool.ts'
import { describeIndices } from '@freshet/adapters/elasticsearch/describe-indices.ts'
import { excessPrivileges } from '@freshet/adapters/elasticsearch/excess-privileges.ts'
import { readIndexUuids } from '@freshet/adapters/elasticsearch/index-uuids.ts'
import { judgeIndices } from '@freshet/adapters/elasticsearch/judge-indices.ts'
import { FrozenIndex } from '@freshet/adapters/elasticsearch/read-by-timestamp.ts'
import { readPage, refresh } from '@freshet/adapters/elasticsearch/read-page.ts'
import { PoolSearcher } from '@freshet/adapters/elasticsearch/search-pool.ts'
import { readShards } from '@freshet/adapters/elasticsearch/shards.ts'
import { readStats } from '@freshet/adapters/elasticsearch/shards-api.ts'
import { checkScope } from '@freshet/capture/check-scope.ts'
import { settingsSchema } from '@freshet/config/schema.ts'
import type { ErrorCode } from '@freshet/errors/errors.ts'
import { removeExpired } from '@freshet/telemetry/elasticsearch/retention.ts'
import { afterAll, expect, test } from 'vitest'
import { fuzz } from './fuzz.kit.ts'
import { httpAnswer, RawServer } from './raw-server.kit.ts'

const server = await RawServer.listen()
const settings = settingsSchema.parse({})
const elasticsearch = { ...settings.elasticsearch, url: server.url }
const client = connectElasticsearch(elasticsearch)
afterAll(async () => {
  await client.close()
  server.close()
})

/** Nothing here waits for it: the server hangs up. */
const signal = () => AbortSignal.timeout(20_000)

const REFUSED: readonly ErrorCode[] = [
  ...(['ELASTICSEARCH_UNREACHABLE', 'ELASTICSEARCH_UNAUTHORIZED', 'ELASTICSEARCH_REFUSED'] as const),
  ...(['INDEX_MISSING', 'INDEX_BLOCKED', 'SHARD_UNAVAILABLE', 'HIT_MALFORMED'] as const),
]
const PRODUCT = ['x-elastic-product: Elasticsearch']
const problem = Buffer.from(
  JSON.stringify({
    error: {
      root_cause: [{ type: 'illegal_argument_exception', reason: 'r' }],
      ...{ type: 'illegal_argument_exception', reason: 'r', caused_by: { type: 't', reason: 'r' } },
    },
    status: 400,
  }),
)

/** Whatever a refusal says, it is one. */
async function refused(body: Buffer, ask: () => Promise<unknown>): Promise<void> {
  for (const status of [400, 403, 503]) {
    server.answer = httpAnswer(body, status, PRODUCT)
    await expect(ask()).rejects.toSatisfy(({ code }) => REFUSED.includes(code))
  }
}

const shards = { total: 1, successful: 1, skipped: 0, failed: 0 }
const pool = JSON.stringify({
  ...{ timed_out: false, _shards: shards },
  hits: { hits: [{ _index: 'flights', _id: 'a', _source: { delay: 1 } }] },
})

using searcher = new PoolSearcher(elasticsearch, { maxSockets: 2 })
const search = () => searcher.search('flights', '{}', signal())

fuzz({
  name: 'pool-http',
  format: 'bytes',
  codes: [...REFUSED, 'PAGE_TOO_LARGE'],
  valid: [httpAnswer(pool), httpAnswer(pool, 200, ['content-encoding: identity', 'x: y'])],
  share: 0.1,
  async read(bytes) {
    server.answer = bytes
    for (const { source } of cutPool(await search()).hits) expect(source.length).toBeLessThan(bytes.length)
  },
})

fuzz({
  name: 'pool-refused',
  format: 'json',
  codes: [],
  valid: [problem],
  share: 0.08,
  read: (bytes) => refused(bytes, search),
})

test('an answer that switches to another protocol is none, and is not waited for', async () => {
  server.answer = Buffer.from('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n')
  await expect(search()).rejects.toMatchObject({ code: 'ELASTICSEARCH_UNREACHABLE' })
})

const copy = {
  routing: { state: 'STARTED', primary: true, node: 'n', relocating_node: null },
  seq_no: { max_seq_no: 7, local_checkpoint: 7, global_checkpoint: 7 },
  ...{ indexing: { delete_total: 1 }, commit: { user_data: { history_uuid: 'h' } } },
}
const metadata = { state: 'open', settings: { index: { uuid: 'u' } }, primary_terms: { 0: 1 } }
/** One body for both questions: each takes its own part. */
const view = {
  ...{ cluster_uuid: 'c', blocks: { global: { 1: { levels: ['write'] } } } },
  metadata: { indices: { flights: metadata, old: { ...metadata, state: 'close' } } },
  routing_table: {
    indices: { flights: { shards: { 0: [{ primary: true, node: 'n', allocation_id: { id: 'a' } }] } } },
  },
  indices: { flights: { uuid: 'u', shards: { 0: [copy] } } },
}

interface Question {
  readonly name: string
  readonly valid: readonly object[]
  readonly ask: () => Promise<unknown>
}

const QUESTIONS: readonly Question[] = [
  {
    name: 'shards',
    valid: [view, { cluster_uuid: 'c' }],
    async ask() {
      const { readable, clusterUuid, closed, unreadable, indexUuids } = await readShards(
        client,
        'f',
        signal(),
      )
      for (const { index, shard, identity, ...numbers } of readable) {
        const { primaryTerm, ...texts } = identity
        for (const whole of [shard, primaryTerm, ...Object.values(numbers)])
          expect(whole).toSatisfy(Number.isSafeInteger)
        for (const text of [index, ...Object.values(texts)]) expect(text).toBeTypeOf('string')
      }
      for (const text of [clusterUuid, ...closed, ...unreadable, ...indexUuids])
        expect(text).toBeTypeOf('string')
    },
  },
  {
    name: 'descriptions',
    valid: [
      {
        flights: {
          settings: { index: { uuid: 'u', number_of_shards: '1', blocks: { read: 'true' } } },
          defaults: { index: { mode: 'standard', mapping: { source: { mode: 'STORED' } } } },
          ...{ mappings: { _source: { excludes: ['a'] } }, aliases: { a: { filter: {} } } },
        },
      },
    ],
    async ask() {
      for (const description of (await describeIndices(client, 'f', signal())).values()) {
        expect(description?.source).toMatch(/^(stored|synthetic|disabled)$/)
        expect(description?.kind).toBeTypeOf('string')
      }
    },
  },
  {
    name: 'validation',
    valid: [
      { valid: true },
      { valid: true, explanations: [{ index: 'f', valid: true, explanation: '*:*' }] },
    ],
    ask: () => checkScope(client, { ...elasticsearch, filter: { term: { a: 1 } } }, signal()),
  },
  {
    name: 'view',
    valid: [{ id: 'v', _shards: shards }],
    async ask() {
      await using view = await FrozenIndex.open(client, { name: 'f', shards: 1, field: 'at' }, signal())
      expect(view).toBeInstanceOf(FrozenIndex)
    },
  },
  {
    name: 'uuids',
    valid: [{ flights: { settings: { index: { uuid: 'u' } } } }],
    async ask() {
      for (const uuid of (await readIndexUuids(client, 'f', signal())).values())
        expect(uuid).toBeTypeOf('string')
    },
  },
  {
    name: 'privileges',
    valid: [{ cluster: { manage: true }, index: { flights: { write: false } } }],
    async ask() {
      for (const text of await excessPrivileges(client, { index: 'flights' }, signal()))
        expect(text).toBeTypeOf('string')
    },
  },
  {
    name: 'field-types',
    valid: [{ flights: { settings: { index: { uuid: 'u' } } }, fields: { at: { date: { type: 'date' } } } }],
    ask: () => judgeIndices(client, { index: 'f', mode: 'timestamp', timestampField: 'at' }, signal()),
  },
  {
    name: 'expired',
    valid: [[{ index: 'logs-freshet.otel-default-2020.01.01' }, {}]],
    async ask() {
      const removed = await removeExpired(client, settings.telemetry, { nowMs: 2e12, signal: signal() })
      for (const name of removed) expect(name).toBeTypeOf('string')
    },
  },
  {
    name: 'doctor',
    valid: [{ version: { build_flavor: 'default' }, flights: { settings: { index: { uuid: 'u' } } } }],
    ask: () => checkCapturable(client, { index: 'f', mode: 'seqNo', timestampField: undefined }, signal()),
  },
]

for (const { name, valid, ask } of QUESTIONS)
  fuzz({
    name: `elasticsearch-${name}`,
    format: 'json',
    codes: [...REFUSED, 'INDEX_NOT_CAPTURABLE', 'CONFIG_INVALID'],
    valid: valid.map((value) => Buffer.from(JSON.stringify(value))),
    share: 0.08,
    async read(bytes) {
      server.answer = httpAnswer(bytes, 200, PRODUCT)
      await ask()
    },
  })

const page = { index: 'flights', shard: 0, node: 'n', rows: 20_000, maxBytes: 2 ** 20 }
const hits = JSON.stringify({
  ...{ took: 1, timed_out: false, _shards: shards },
  hits: {
    hits: [{ _index: 'flights', _id: 'a', _seq_no: 3, _primary_term: 1, _source: { delay: 1 }, sort: [3] }],
  },
})
const readIt = () => readPage(client, { ...page, from: { seqNo: 0, inclusive: true }, toSeqNo: 9 }, signal())

fuzz({
  name: 'elasticsearch-page-http',
  format: 'bytes',
  codes: [...REFUSED, 'SEARCH_PARTIAL', 'PAGE_TOO_LARGE', 'INDEX_NOT_CAPTURABLE'],
  valid: [httpAnswer(hits, 200, PRODUCT)],
  share: 0.1,
  async read(bytes) {
    server.answer = bytes
    for (const { seqNo } of (await readIt()).hits) expect(seqNo).toSatisfy(Number.isSafeInteger)
  },
})

fuzz({
  name: 'elasticsearch-refreshed',
  format: 'json',
  codes: REFUSED,
  valid: [Buffer.from(JSON.stringify({ _shards: shards }))],
  share: 0.08,
  async read(bytes) {
    server.answer = httpAnswer(bytes, 200, PRODUCT)
    await refresh(client, 'f', signal())
  },
})

test.each([{ _shards: { failed: null } }, null, { _shards: 1 }])(
  'a refresh that answers %j has not refreshed',
  async (said) => {
    server.answer = httpAnswer(JSON.stringify(said), 200, PRODUCT)
    await expect(refresh(client, 'f', signal())).rejects.toMatchObject({ code: 'HIT_MALFORMED' })
  },
)

test.each([
  ['x', 'HIT_MALFORMED'],
  ['500', 'PAGE_TOO_LARGE'],
])('a page that is refused where %s rows are allowed is %s', async (allowed, code) => {
  const cause = { type: 'illegal_argument_exception', reason: 'Result window is too large' }
  const refused = { error: { type: 'search_phase_execution_exception', root_cause: [cause] } }
  const settings = { flights: { settings: { index: { max_result_window: allowed } } } }
  server.first = httpAnswer(JSON.stringify(refused), 400, PRODUCT)
  server.answer = httpAnswer(JSON.stringify(settings), 200, PRODUCT)
  await expect(readIt()).rejects.toMatchObject({ code })
})

fuzz({
  name: 'elasticsearch-refused',
  format: 'json',
  codes: [],
  valid: [problem],
  share: 0.08,
  read: (bytes) => refused(bytes, () => readStats(client, 'f', signal())),
})

fuzz({
  name: 'elasticsearch-http',
  format: 'bytes',
  codes: REFUSED,
  valid: [httpAnswer(JSON.stringify(view), 200, PRODUCT)],
  share: 0.08,
  async read(bytes) {
    server.answer = bytes
    await readStats(client, 'f', signal())
  },
})
