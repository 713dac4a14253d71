import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { loadSettings } from '@freshet/config/load.ts'
import { afterEach, expect, test } from 'vitest'
import { PoolSearcher, type PoolSearchOptions } from './search-pool.ts'

const closing: (() => void)[] = []
afterEach(() => closing.splice(0).forEach((close) => void close()))

interface Asked {
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A searcher of a server that answers as told. */
async function searcherOf(
  answer: (response: ServerResponse, asked: Asked) => void,
  {
    address = (port: number) => `http://127.0.0.1:${port}`,
    ...options
  }: Partial<PoolSearchOptions> & { address?: (port: number) => string } = {},
) {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    answer(response, { url: request.url!, headers: request.headers, body: Buffer.concat(chunks).toString() })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const { elasticsearch } = loadSettings({ env: {} })
  const searcher = new PoolSearcher({ ...elasticsearch, url: address(port) }, { maxSockets: 2, ...options })
  closing.push(() => {
    searcher[Symbol.dispose]()
    server.closeAllConnections()
    server.close()
  })
  return { searcher, server }
}

const never = new AbortController().signal

test('a search goes to its index with its body, over a connection that stays open', async () => {
  const asked: Asked[] = []
  const { searcher, server } = await searcherOf((response, one) => {
    asked.push(one)
    response.end('{"hits":{}}')
  })
  let connections = 0
  server.on('connection', () => connections++)
  for (let i = 0; i < 3; i++)
    expect((await searcher.search('a,b-*', '{"size":1}', never)).toString()).toBe('{"hits":{}}')
  expect(connections).toBe(1)
  expect(asked[0]!.url).toMatch(/^\/a%2Cb-\*\/_search\?filter_path=[^&]*hits\.hits\._source/)
  expect(asked[0]!.body).toBe('{"size":1}')
  expect(asked[0]!.headers.authorization).toBeUndefined()
})

test.each([
  ['a key of its own', { apiKey: 'abc' }, 'ApiKey abc'],
  [
    'the user of the address',
    { address: (port: number) => `http://us%40er:pass@127.0.0.1:${port}/es/` },
    `Basic ${Buffer.from('us@er:pass').toString('base64')}`,
  ],
])('it shows %s', async (_, options, authorization) => {
  const asked: Asked[] = []
  const { searcher } = await searcherOf((response, one) => {
    asked.push(one)
    response.end('{}')
  }, options)
  await searcher.search('a', '{}', never)
  expect(asked[0]!.headers.authorization).toBe(authorization)
  expect(asked[0]!.url).toMatch('address' in options ? /^\/es\/a\/_search/ : /^\/a\/_search/)
})

test('a search that is given up closes its connection, so that the server gives it up as well', async () => {
  const { promise: gone, resolve } = Promise.withResolvers<void>()
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
  const { searcher } = await searcherOf((response) => {
    response.on('close', resolve)
    arrive()
  })
  const late = new AbortController()
  const search = searcher.search('a', '{}', late.signal)
  await arrived
  late.abort()
  await expect(search).rejects.toMatchObject({ code: 'DEADLINE' })
  await gone
  await expect(searcher.search('a', '{}', late.signal)).rejects.toMatchObject({ code: 'DEADLINE' })
})

test.each([
  [401, { error: { type: 'security_exception' } }, 'ELASTICSEARCH_UNAUTHORIZED'],
  [404, { error: { type: 'index_not_found_exception' } }, 'INDEX_MISSING'],
  [400, { error: { type: 'parsing_exception' } }, 'ELASTICSEARCH_REFUSED'],
  [429, { error: { type: 'circuit_breaking_exception' } }, 'ELASTICSEARCH_UNREACHABLE'],
  [503, { error: { type: 'search_phase_execution_exception' } }, 'SHARD_UNAVAILABLE'],
  [502, '<html>', 'ELASTICSEARCH_UNREACHABLE'],
])('status %i with %j is %s', async (status, body, code) => {
  const { searcher } = await searcherOf((response) => {
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  await expect(searcher.search('a', '{}', never)).rejects.toMatchObject({ code })
})

test('an answer that breaks off, or a server that is not there, is unreachable', async () => {
  const { searcher, server } = await searcherOf((response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('{', () => response.destroy())
  })
  await expect(searcher.search('a', '{}', never)).rejects.toMatchObject({ code: 'ELASTICSEARCH_UNREACHABLE' })
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await expect(searcher.search('a', '{}', never)).rejects.toMatchObject({ code: 'ELASTICSEARCH_UNREACHABLE' })
})

test('an answer that is too large to be a pool is given up', async () => {
  const { searcher } = await searcherOf((response) => {
    response.end(Buffer.alloc(17 * 1024 * 1024, ' '))
  })
  await expect(searcher.search('a', '{}', never)).rejects.toMatchObject({ code: 'PAGE_TOO_LARGE' })
})
