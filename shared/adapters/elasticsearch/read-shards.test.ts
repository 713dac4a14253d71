import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { settingsSchema } from '@freshet/config/schema.ts'
import { expect, test } from 'vitest'
import { connectElasticsearch } from './connect.ts'
import { readShards } from './shards.ts'

/** A block against metadata would hide an index from every other test on a shared server, so the answers are canned. */
async function answering(answers: Readonly<Record<string, { status?: number; body: object }>>) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url!, 'http://x').pathname)
    asked.push(path)
    const { status = 200, body } = answers[path] ?? { status: 404, body: {} }
    response.writeHead(status, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' })
    response.end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = connectElasticsearch({ ...settingsSchema.parse({}).elasticsearch, url })
  return {
    asked,
    read: () => readShards(client, 'all', AbortSignal.timeout(30_000)),
    async [Symbol.asyncDispose]() {
      await client.close()
      server.close()
    },
  }
}

const metadata = (uuid: string) => ({
  state: 'open',
  settings: { index: { uuid } },
  primary_terms: { 0: 1 },
})
const place = { shards: { 0: [{ primary: true, node: 'n', allocation_id: { id: 'a' } }] } }
const state = {
  cluster_uuid: 'c',
  metadata: { indices: { good: metadata('g'), bad: metadata('b') } },
  routing_table: { indices: { good: place, bad: place } },
}
const copy = {
  routing: { primary: true, node: 'n', state: 'STARTED' },
  seq_no: { max_seq_no: 1, global_checkpoint: 1 },
  indexing: { delete_total: 0 },
  commit: { user_data: { history_uuid: 'h' } },
}

test('an index with a block against reading its metadata cannot be read, and the others can', async () => {
  await using server = await answering({
    '/_cluster/state/metadata,routing_table,blocks/all': { body: state },
    '/all/_stats/indexing': {
      status: 403,
      body: { error: { type: 'cluster_block_exception' }, status: 403 },
    },
    '/_cluster/state/metadata,blocks/all': {
      body: {
        blocks: { indices: { bad: { 9: { levels: ['metadata_read', 'metadata_write'] } } } },
        metadata: { indices: { good: { state: 'open' }, bad: { state: 'open' } } },
      },
    },
    '/good/_stats/indexing': { body: { indices: { good: { uuid: 'g', shards: { 0: [copy] } } } } },
  })
  expect(await server.read()).toMatchObject({ readable: [{ index: 'good' }], unreadable: ['bad/0'] })
})

test.each([
  [
    'is blocked until it is recovered',
    { ...state, blocks: { global: { 1: { levels: ['metadata_read'] } } } },
  ],
  ['has no cluster yet', { cluster_uuid: '_na_' }],
])('a state that %s is an error worth waiting for: no index is gone by it', async (_, body) => {
  await using server = await answering({
    '/_cluster/state/metadata,routing_table,blocks/all': { body },
    '/all/_stats/indexing': { body: {} },
  })
  await expect(server.read()).rejects.toMatchObject({ code: 'ELASTICSEARCH_UNREACHABLE', retryable: true })
})

test('statistics are read before the state: a copy that restarts in between never shows new numbers under its old term', async () => {
  await using server = await answering({
    '/_cluster/state/metadata,routing_table,blocks/all': { body: state },
    '/all/_stats/indexing': { body: { indices: { good: { uuid: 'g', shards: { 0: [copy] } } } } },
  })
  await server.read()
  expect(server.asked).toEqual(['/all/_stats/indexing', '/_cluster/state/metadata,routing_table,blocks/all'])
})

test('a server that does not answer is an error, not a view without indices', async () => {
  const nowhere = { ...settingsSchema.parse({}).elasticsearch, url: 'http://127.0.0.1:1' }
  await using client = connectElasticsearch(nowhere)
  await expect(readShards(client, 'i', AbortSignal.timeout(30_000))).rejects.toMatchObject({
    code: 'ELASTICSEARCH_UNREACHABLE',
  })
})
