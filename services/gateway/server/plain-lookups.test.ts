import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { gateway, stored } from '../app.kit.ts'
import { scoreRoutes } from '../routes/scores.ts'
import { serve } from '../routes/serve.ts'
import { appListener } from './app-listener.ts'
import { plainLookupsBefore } from './plain-lookups.ts'

const KEY = 'sesame'

/** The same gateway twice: with plain lookups before the app, and the app alone; and how many were plain. */
async function twoWays() {
  const world = {
    key: KEY,
    cache: (key: string) => (key.includes('x') ? NOTHING : { ...FOUND, score: { ...stored, key } }),
  }
  const { app, parts } = gateway(world)
  const [lookup] = scoreRoutes(parts)
  let plain = 0
  const counted: ReturnType<typeof serve> = (...request) => {
    plain++
    return serve(lookup, parts)(...request)
  }
  const both = createServer(plainLookupsBefore(appListener(app), counted))
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
  return [...lower.toSorted(), rest.join().replace(/"age_ms":\d+/, '')].join('\n')
}

function request(path: string, headers: readonly string[] = []): string {
  return `${[`GET ${path} HTTP/1.1`, 'host: 127.0.0.1:8080', 'connection: close', ...headers].join('\r\n')}\r\n\r\n`
}

const withKey = [`x-api-key: ${KEY}`]

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

test.each([
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
