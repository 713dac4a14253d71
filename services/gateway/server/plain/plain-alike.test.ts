import fc from 'fast-check'
import { expect, test } from 'vitest'
import { asJson, prediction, request, say, twoWays, withKey } from './plain.kit.ts'

test('a lookup and nothing beside it is plain, and is answered as by the app', async () => {
  await using ways = await twoWays()
  for (const path of [
    '/v1/scores/a',
    '/v1/scores/flights/UA-1',
    '/v1/scores/a%20b',
    '/v1/scores/x',
    '/v1/scores/%ff',
    '/v1/scores?key=a/b',
    '/v1/scores?key=a+b%20c',
    '/v1/scores?key=..',
    '/v1/scores?key=a=b',
    '/v1/scores?key=%C3%A9',
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
    prediction(`{"document":{"a":"${'x'.repeat(30_000)}"}}`),
  ]) {
    const before = ways.plain()
    expect(await say(ways.both, asked)).toBe(await say(ways.alone, asked))
    expect(ways.plain()).toBe(before + 1)
  }
})

test.each([
  ['a prediction with a query', prediction('{"document":{}}', asJson, '/v1/predict?deadline_ms=50')],
  ['a prediction without a body', prediction('')],
  ['a large body', prediction(`{"document":{"a":"${'x'.repeat(33_000)}"}}`)],
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
    '+',
    '=',
    'key=',
    "'",
    '~',
    '[',
    '|',
    '\\',
    '"',
    'é',
    '//',
  )
  const start = fc.constantFrom('/v1/scores/', '/v1/scores?key=', '/v1/scores')
  const path = fc
    .tuple(start, fc.array(part, { maxLength: 6 }))
    .map(([start, parts]) => start + parts.join(''))
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
