import fc from 'fast-check'
import { beforeEach, expect, test, vi } from 'vitest'
import { asJson, prediction, request, twoWays, withKey } from './plain.kit.ts'

// Both ways answer at the same moment, so that ages and durations are alike, too.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance'] }))

const TRACEPARENT = 'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const nested = (depth: number) => `{"document":{"a":${'['.repeat(depth - 2)}${']'.repeat(depth - 2)}}}`

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
    await ways.alike(request(path, withKey))
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
    prediction('{"document":{"a":1}}', [...asJson, TRACEPARENT]),
    prediction(nested(64)),
    prediction(nested(65)),
    prediction(`{"document":{"a":"${'x'.repeat(30_000)}"}}`),
  ]) {
    const before = ways.plain()
    await ways.alike(asked)
    expect(ways.plain()).toBe(before + 1)
  }
})

test('what an answer says of its age and of the time that it took, both ways say', async () => {
  await using ways = await twoWays()
  const { answer } = await ways.alike(request('/v1/scores/a', withKey))
  expect(answer).toMatch(
    /^HTTP\/1\.1 200 OK\nage: \d+\n[\s\S]*\ndate\n[\s\S]*\nserver-timing: total;dur=0\.00\n/,
  )
  expect(ways.plain()).toBe(1)
})

test('a span belongs to the trace that the caller names', async () => {
  await using ways = await twoWays()
  const { spans } = await ways.alike(request('/v1/scores/a', [...withKey, TRACEPARENT]))
  expect(spans).toMatchObject([{ traceId: '4bf92f3577b34da6a3ce929d0e0e4736' }])
  expect(ways.plain()).toBe(1)
})

test('who asks too often is told when to come again, and by which rule', async () => {
  await using ways = await twoWays({ requestsPerSecond: 0.5 })
  const first = await ways.alike(request('/v1/scores/a', withKey))
  const second = await ways.alike(request('/v1/scores/a', withKey))
  expect(first.answer).toContain('HTTP/1.1 200')
  expect(second.answer.split('\n')).toEqual(
    expect.arrayContaining([
      'HTTP/1.1 429 Too Many Requests',
      'ratelimit-policy: "key";q=1;w=2',
      'ratelimit: "key";r=0;t=2',
      'retry-after: 2',
    ]),
  )
  expect(ways.plain()).toBe(2)
})

test('what the door refuses is told so, and counts as nothing in hand', async () => {
  await using ways = await twoWays({ othersInHand: 1_000 })
  const { answer, metrics } = await ways.alike(request('/v1/scores/a', withKey))
  expect(answer).toMatch(/^HTTP\/1\.1 503 [\s\S]*retry-after: 1[\s\S]*OVERLOADED/)
  expect(metrics['freshet.requests.refused']).toBe(1)
  expect([ways.inHand.count, ways.plain()]).toEqual([0, 0])
})

test('without keys, who calls this machine by another name is refused', async () => {
  await using ways = await twoWays({ hasKey: false })
  const answers = []
  for (const host of ['evil.example', 'evil.example:8080', 'localhost:8080'])
    answers.push((await ways.alike(request('/v1/scores/a').replace('127.0.0.1:8080', host))).answer)
  expect(answers).toEqual([
    expect.stringMatching(/^HTTP\/1\.1 421 [\s\S]*HOST_REFUSED/),
    expect.stringMatching(/^HTTP\/1\.1 421 [\s\S]*HOST_REFUSED/),
    expect.stringMatching(/^HTTP\/1\.1 200 /),
  ])
  expect(ways.plain()).toBe(3)
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
  await ways.alike(request)
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
      await ways.alike(request(path, headers))
    }),
    { numRuns: 300 },
  )
  expect(ways.plain()).toBeGreaterThan(10)
})
