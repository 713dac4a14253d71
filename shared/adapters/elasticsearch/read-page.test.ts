import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { settingsSchema } from '@freshet/config/schema.ts'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connectElasticsearch } from './connect.ts'
import { type PageRequest, readPage, refresh } from './read-page.ts'

const soon = () => AbortSignal.timeout(20_000)
const page: PageRequest = {
  ...{ index: 'i', shard: 0, node: 'n', rows: 10 },
  from: { seqNo: -1, inclusive: false },
  toSeqNo: 9,
}

/** A client of a server that answers as told. */
async function answering(answer: RequestListener) {
  const server = createServer((request, response) => {
    response.setHeader('x-elastic-product', 'Elasticsearch')
    response.setHeader('content-type', 'application/json')
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = connectElasticsearch({
    ...settingsSchema.parse({}).elasticsearch,
    url,
    requestTimeoutMs: 2_000,
  })
  onTestFinished(async () => {
    await client.close()
    server.closeAllConnections()
    server.close()
  })
  return client
}

const json = (status: number, body: object) =>
  answering((_, response) => response.writeHead(status).end(JSON.stringify(body)))

function found(more: object = {}, shards: object = {}) {
  const _shards = { total: 1, successful: 1, skipped: 0, failed: 0, ...shards }
  return { took: 1, timed_out: false, _shards, hits: { max_score: null, hits: [] }, ...more }
}

function problem(type: string, cause = type) {
  return {
    error: { type, reason: 'all shards failed', root_cause: [{ type: cause, reason: `${cause}, because` }] },
  }
}

describe('a search is never "nothing new" when it', () => {
  test.each([
    ['timed out on the server', found({ timed_out: true })],
    ['reached no shard', found({}, { total: 0, successful: 0 })],
    ['reached a shard that failed', found({}, { successful: 0, failed: 1 })],
    ['reached more than one shard', found({}, { total: 2, successful: 2 })],
    ['skipped its shard', found({}, { successful: 0, skipped: 1 })],
  ])('%s', async (_, body) => {
    const client = await json(200, body)
    await expect(readPage(client, page, soon())).rejects.toMatchObject({
      code: 'SEARCH_PARTIAL',
      retryable: true,
    })
  })

  test('answers with less than a whole response', async () => {
    const client = await answering((_, response) => {
      response.writeHead(200, { 'content-length': 500 }).write('{"took":1,"timed_out":false,')
      setImmediate(() => response.destroy())
    })
    await expect(readPage(client, page, soon())).rejects.toMatchObject({ retryable: true })
  })

  test('stops answering in the middle', async () => {
    const client = await answering((_, response) => void response.writeHead(200).write('{"took":1,'))
    await expect(readPage(client, page, soon())).rejects.toMatchObject({ code: 'ELASTICSEARCH_UNREACHABLE' })
  })
})

describe('a search is tried again later when the server', () => {
  test.each([
    ['is overloaded', 429, problem('es_rejected_execution_exception')],
    [
      'rejects on the shard',
      429,
      problem('search_phase_execution_exception', 'es_rejected_execution_exception'),
    ],
    [
      'has lost the shard',
      503,
      problem('search_phase_execution_exception', 'no_shard_available_action_exception'),
    ],
    ['is being stopped', 503, problem('node_closed_exception')],
    ['stands behind a proxy that cannot reach it', 502, {}],
    ['no longer holds the primary', 400, problem('illegal_argument_exception')],
  ])('%s', async (_, status, body) => {
    await expect(readPage(await json(status, body), page, soon())).rejects.toMatchObject({ retryable: true })
  })
})

test('a query that the index refuses is told with its reason, and not tried again for ever', async () => {
  const client = await json(400, problem('search_phase_execution_exception', 'query_shard_exception'))
  const failure = readPage(client, { ...page, scope: { term: { ip: 'x' } } }, soon())
  await expect(failure).rejects.toMatchObject({
    code: 'ELASTICSEARCH_REFUSED',
    message: expect.stringContaining('query_shard_exception, because'),
  })
})

describe('a page is too large, and to be asked for with fewer rows, when', () => {
  test.each([
    ['the node', problem('circuit_breaking_exception')],
    ['the shard', problem('search_phase_execution_exception', 'circuit_breaking_exception')],
  ])('%s has no memory for it', async (_, body) => {
    await expect(readPage(await json(429, body), page, soon())).rejects.toMatchObject({
      code: 'PAGE_TOO_LARGE',
    })
  })

  test('it has more bytes than asked for: the connection is closed, nothing is read on', async () => {
    let closed: Promise<unknown> | undefined
    const client = await answering((_, response) => {
      closed = once(response, 'close')
      response.writeHead(200)
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, ' ')));
        if (!response.destroyed) response.once('drain', pour)
      }
      pour()
    })
    const failure = readPage(client, { ...page, maxBytes: 1_000_000 }, soon())
    await expect(failure).rejects.toMatchObject({ code: 'PAGE_TOO_LARGE', maxRows: undefined })
    await closed
  })
})

test('a refresh that a shard has not done is never taken for one', async () => {
  const client = await json(200, { _shards: { total: 2, successful: 1, failed: 1 } })
  await expect(refresh(client, 'i', soon())).rejects.toMatchObject({
    code: 'SHARD_UNAVAILABLE',
    retryable: true,
  })
})

test('requests speak plain JSON, which servers older than the client take', async () => {
  const types: (string | undefined)[] = []
  const client = await answering((request, response) => {
    types.push(request.headers.accept, request.headers['content-type'])
    response.end(JSON.stringify(found()))
  })
  await readPage(client, page, soon())
  await refresh(client, 'i', soon())
  expect(types.join()).not.toContain('compatible-with')
})
