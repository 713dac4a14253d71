import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { gateway, stored } from '../app.kit.ts'
import { predictRoute } from '../routes/predict.ts'
import { scoreRoutes } from '../routes/scores.ts'
import { serve } from '../routes/serve.ts'
import { appListener } from './app-listener.ts'
import { plainRequestsBefore } from './plain-requests.ts'

const KEY = 'sesame'

/** The same gateway twice: with plain requests before the app, and the app alone; and how many were plain. */
async function twoWays() {
  const world = {
    key: KEY,
    cache: (key: string) => (key.includes('x') ? NOTHING : { ...FOUND, score: { ...stored, key } }),
  }
  const { app, parts } = gateway(world)
  const [lookup] = scoreRoutes(parts)
  let plain = 0
  const counted = (answer: ReturnType<typeof serve>): ReturnType<typeof serve> => {
    return (...request) => {
      plain++
      return answer(...request)
    }
  }
  const routes = {
    lookup: counted(serve(lookup, parts)),
    predict: counted(serve(predictRoute(parts), parts)),
  }
  const both = createServer(plainRequestsBefore(appListener(app), routes))
  const alone = createServer(appListener(app))
  for (const server of [both, alone])
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    both,
    alone,
    plain: () => plain,
    async [Symbol.asyncDispose]() {
      for (const server of [both, alone]) await new Promise((resolve) => server.close(resolve))
    },
  }
}

const NOTHING = { kind: 'has nothing' } as const
const FOUND = { kind: 'has' } as const

/** What comes back, word for word, but for what differs from one moment to the next. */
async function say(server: Server, request: string): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.end(request, 'latin1')
  const answer = await text(socket)
  const [head, ...rest] = answer.split('\r\n\r\n')
  const lines = head!.split('\r\n').filter((line) => !/^(date|server-timing|age):/i.test(line))
  const lower = lines.map((line) => line.replace(/^[\w-]+(?=: )/, (name) => name.toLowerCase()))
  const body = rest
    .at(-1)!
    .replace(/"age_ms":\d+/, '')
    .replace(/(?<="source":"live".*)"as_of":"[^"]+"/, '')
  return [...lower.toSorted(), body].join('\n')
}

function request(path: string, headers: readonly string[] = []): string {
  return `${[`GET ${path} HTTP/1.1`, 'host: 127.0.0.1:8080', 'connection: close', ...headers].join('\r\n')}\r\n\r\n`
}

const withKey = [`x-api-key: ${KEY}`]
const asJson = [...withKey, 'content-type: application/json']

function prediction(body: string, headers: readonly string[] = asJson, path = '/v1/predict'): string {
  const length = `content-length: ${Buffer.byteLength(body)}`
  return `${request(path, [...headers, length]).replace('GET', 'POST')}${body}`
}

test('a lookup and nothing beside it is plain, and is answered as by the app', async () => {
  await using ways = await twoWays()
  for (const path of [
    '/v1/scores/a',
    '/v1/scores/flights/UA-1',
    '/v1/scores/a%20b',
    '/v1/scores/x',
    '/v1/scores/%ff',
  ]) {
    const before = ways.plain()
    expect(await say(ways.both, request(path, withKey))).toBe(await say(ways.alone, request(path, withKey)))
    expect(ways.plain()).toBe(before + 1)
  }
})

test('a prediction and nothing beside it is plain, and is answered as by the app', async () => {
  await using ways = await twoWays()
  for (const asked of [
    prediction('{"document":{"a":1}}'),
    prediction('{"document":{"a":1},"key":"k"}'),
    prediction('{"documents":[{"document":{"a":1}},{"document":{"bad":1}}]}'),
    prediction('{"document":1}'),
    prediction('{"document":{}'),
    prediction('{"document":{},"more":1}'),
    prediction('{"document":{"a":1}}', withKey),
    prediction('{"document":{"a":1}}', ['content-type: application/json']),
    prediction('{"document":{"a":1}}', [...asJson, 'content-encoding: gzip']),
    prediction('{"document":{"a":1}}', [...asJson, 'x-deadline-ms: 50']),
    prediction(`{"document":{"a":"${'x'.repeat(90_000)}"}}`),
  ]) {
    const before = ways.plain()
    expect(await say(ways.both, asked)).toBe(await say(ways.alone, asked))
    expect(ways.plain()).toBe(before + 1)
  }
})

test('who hangs up within a body of a prediction ends nobody else', async () => {
  await using ways = await twoWays()
  const socket = connect((ways.both.address() as AddressInfo).port, '127.0.0.1')
  socket.write(prediction('{"document":{"a":1}}').slice(0, -5))
  await expect.poll(ways.plain).toBe(1)
  socket.destroy()
  expect(await say(ways.both, prediction('{"document":{"a":1}}'))).toMatch(/^HTTP|200/)
})

test.each([
  ['a prediction with a query', prediction('{"document":{}}', asJson, '/v1/predict?deadline_ms=50')],
  ['a prediction without a body', prediction('')],
  ['a large body', prediction(`{"document":{"a":"${'x'.repeat(100_000)}"}}`)],
  [
    'a prediction that waits to be told to go on',
    prediction('{"document":{}}', [...asJson, 'expect: 100-continue']),
  ],
  [
    'a body in pieces',
    `${request('/v1/predict', [...asJson, 'transfer-encoding: chunked']).replace('GET', 'POST')}2\r\n{}\r\n0\r\n\r\n`,
  ],
  ['a query', request('/v1/scores/a?deadline_ms=50', withKey)],
  ['a whole address', request('http://127.0.0.1/v1/scores/a', withKey)],
  ['a dot segment', request('/v1/scores/../scores/a', withKey)],
  ['an encoded dot segment', request('/v1/scores/%2E%2e/scores/a', withKey)],
  ['another method', request('/v1/scores/a', withKey).replace('GET', 'HEAD')],
  ['a body', `${request('/v1/scores/a', [...withKey, 'content-length: 2'])}{}`],
  ['a strange host', request('/v1/scores/a', withKey).replace('127.0.0.1:8080', 'a:b@c')],
  ['no host', 'GET /v1/scores/a HTTP/1.0\r\nx-api-key: sesame\r\n\r\n'],
])('%s is left to the app', async (_, request) => {
  await using ways = await twoWays()
  expect(await say(ways.both, request)).toBe(await say(ways.alone, request))
  expect(ways.plain()).toBe(0)
})

test('whatever is asked for, both ways answer alike', async () => {
  await using ways = await twoWays()
  const part = fc.constantFrom(
    'a',
    'x',
    '/',
    '.',
    '..',
    '%2e',
    '%2F',
    '%',
    '%zz',
    '%ff',
    '%C3%A9',
    '?',
    '#',
    ':',
    '@',
    '&',
    '~',
    '[',
    '|',
    '\\',
    '"',
    'é',
    '//',
  )
  const path = fc.array(part, { maxLength: 6 }).map((parts) => `/v1/scores/${parts.join('')}`)
  const header = fc.constantFrom(
    'x-api-key: sesame',
    'x-api-key: other',
    'X-API-KEY:sesame ',
    'authorization: Bearer sesame',
    'authorization: Basic a',
    'x-deadline-ms: 50',
    'x-deadline-ms: 0',
    'x-deadline-ms: 1',
    'accept: */*',
    'host: 127.0.0.1',
  )
  await fc.assert(
    fc.asyncProperty(path, fc.array(header, { maxLength: 4 }), async (path, headers) => {
      const asked = request(path, headers)
      expect(await say(ways.both, asked)).toBe(await say(ways.alone, asked))
    }),
    { numRuns: 300 },
  )
  expect(ways.plain()).toBeGreaterThan(10)
})
