import { METRICS } from '@freshet/telemetry/metrics-table.ts'
import { describe, expect, test } from 'vitest'
import { gateway, stored } from './app.kit.ts'
import { type Said, unheard } from './ladder/said.ts'

const found: Said = { kind: 'has', score: stored }

describe('GET /v1/scores/{key}', () => {
  test('answers with the score, where it came from, and how old it is', async () => {
    const { app } = gateway({ cache: found })
    const reply = await app.request('/v1/scores/flights/UA-1')
    expect(reply.status).toBe(200)
    expect(reply.headers.get('cache-status')).toBe('freshet-redis; hit')
    expect(Number(reply.headers.get('age'))).toBeGreaterThan(0)
    expect(reply.headers.get('server-timing')).toMatch(/^total;dur=[\d.]+$/)
    expect(await reply.json()).toMatchObject({
      key: 'flights/UA-1',
      score: 12.5,
      source: 'cache',
      as_of: '2023-11-14T22:13:20.000Z',
      model: 'delay@1',
      degraded: false,
    })
  })

  test.each([
    ['/v1/scores/flights/UA-1', 'flights/UA-1'],
    ['/v1/scores/flights%2FUA-1', 'flights/UA-1'],
    ['/v1/scores/a%252Fb', 'a%2Fb'],
    ['/v1/scores/%C3%BC%20%F0%9F%92%A7?deadline_ms=50', 'ü 💧'],
    ['/v1/scores/a+b', 'a+b'],
    ['/v1/scores/v1/scores/x', 'v1/scores/x'],
    ['/v1/scores/a%3Fb%23c', 'a?b#c'],
    ['/v1/scores/__proto__', '__proto__'],
    ['/v1/scores/nl%0A', 'nl\n'],
    ['/v1/scores/%0D%0Aa/%E2%80%A8', '\r\na/\u2028'],
    ['/v1/scores?key=..', '..'],
    ['/v1/scores?deadline_ms=50&key=a/b%2Fc%2B+?d=e', 'a/b/c+ ?d=e'],
  ])('%s asks for %s', async (path, key) => {
    const { app, asked } = gateway({ cache: found })
    expect((await app.request(path)).status).toBe(200)
    expect(asked).toEqual([key])
  })

  test.each([
    ['a key that is no UTF-8', '/v1/scores/%E0%A4%A', {}],
    ['a key in the query that is no UTF-8', '/v1/scores?key=%E0%A4%A', {}],
    ['a query without a key', '/v1/scores?keys=a', {}],
    ['an empty key', '/v1/scores?key=', {}],
    ['two keys', '/v1/scores?key=a&key=b', {}],
    ['a key that is too long', `/v1/scores/${'ü'.repeat(385)}`, {}],
    ['a deadline that is no number', '/v1/scores/a?deadline_ms=soon', {}],
    ['a deadline of nothing', '/v1/scores/a', { 'x-deadline-ms': '0' }],
  ])('%s is refused as invalid', async (_, path, headers) => {
    const reply = await gateway({ cache: found }).app.request(path, { headers })
    expect(reply.status).toBe(400)
    expect(await reply.json()).toMatchObject({ code: 'REQUEST_INVALID', status: 400 })
  })

  test('an unknown key is a problem with a code and a hint', async () => {
    const reply = await gateway({}).app.request('/v1/scores/nobody')
    expect(reply.status).toBe(404)
    expect(reply.headers.get('content-type')).toBe('application/problem+json')
    expect(await reply.json()).toEqual({
      type: 'urn:freshet:error:KEY_UNKNOWN',
      title: 'Not Found',
      status: 404,
      detail: 'the key is unknown',
      code: 'KEY_UNKNOWN',
      hint: expect.any(String),
      retryable: false,
    })
  })

  test('with nobody to ask the default answers, and says so', async () => {
    const { app } = gateway({ cache: unheard('cache_late'), default: 3 })
    expect(await (await app.request('/v1/scores/a')).json()).toEqual({
      key: 'a',
      score: 3,
      source: 'default',
      age_ms: null,
      as_of: null,
      model: null,
      degraded: true,
      reason: 'cache_late',
    })
  })

  test('a fault of our own is a 500 that gives nothing away', async () => {
    const { app, lines } = gateway({
      cache: () => {
        throw new Error('password=hunter2')
      },
    })
    const reply = await app.request('/v1/scores/a')
    expect(reply.status).toBe(500)
    expect(await reply.text()).not.toContain('hunter2')
    expect(lines).toEqual(['a request failed'])
  })
})

describe('POST /v1/predict', () => {
  test('answers live, under the key when one is given', async () => {
    const { predict } = gateway({})
    expect(await (await predict({ document: {} })).json()).toMatchObject({
      key: null,
      score: 7,
      source: 'live',
    })
    expect(await (await predict({ document: {}, key: 'a' })).json()).toMatchObject({
      key: 'a',
      score: 7,
      source: 'live',
      age_ms: 0,
      model: 'delay@2',
      degraded: false,
    })
  })

  test('when the model cannot in time, the stored score of the key answers', async () => {
    const { predict } = gateway({ cache: found, live: { kind: 'unable', reason: 'live_late' } })
    expect(await (await predict({ document: {}, key: 'a' })).json()).toMatchObject({
      score: 12.5,
      source: 'cache',
      degraded: true,
      reason: 'live_late',
    })
  })

  test('without a key, or a score under it, the default answers', async () => {
    const { predict } = gateway({ live: { kind: 'unable', reason: 'model_missing' }, default: 3 })
    for (const body of [{ document: {} }, { document: {}, key: 'nobody' }])
      expect(await (await predict(body)).json()).toMatchObject({
        score: 3,
        source: 'default',
        degraded: true,
        reason: 'model_missing',
      })
  })

  test('a document that cannot be scored is refused with the place that is wrong', async () => {
    const problem = { code: 'FIELD_MISSING', at: '/arr_delay', message: '/arr_delay is missing' } as const
    const reply = await gateway({ live: { kind: 'unscorable', problem } }).predict({ document: {} })
    expect(reply.status).toBe(422)
    expect(await reply.json()).toMatchObject({
      code: 'FIELD_MISSING',
      retryable: false,
      errors: [{ at: '/document/arr_delay', message: '/arr_delay is missing' }],
    })
  })

  test.each([
    ['a field that we do not know', { document: {}, keys: ['a'] }, {}, 400],
    ['no document', { key: 'a' }, {}, 400],
    ['a document that is no object', { document: [1] }, {}, 400],
    ['an empty key', { document: {}, key: '' }, {}, 400],
    ['what is not JSON', '{"document":', {}, 400],
    ['another media type', '{"document":{}}', { 'content-type': 'text/plain' }, 415],
    ['too much', { document: { text: 'x'.repeat(1_024) } }, {}, 413],
    ['too much, announced', '{}', { 'content-length': '1000000' }, 413],
  ])('%s is refused', async (_, body, headers, status) => {
    const reply = await gateway({}).predict(body, headers)
    expect(reply.status).toBe(status)
    expect(reply.headers.get('content-type')).toBe('application/problem+json')
  })

  test('a document may be nested, but not without end', async () => {
    const nested = (depth: number) => `{"document":{"a":${'['.repeat(depth - 2)}${']'.repeat(depth - 2)}}}`
    expect((await gateway({}).predict(nested(64))).status).toBe(200)
    expect((await gateway({}).predict(nested(65))).status).toBe(400)
    expect((await gateway({}).predict(nested(500))).status).toBe(400)
  })
})

describe('API keys', () => {
  test('are not needed when none are configured', async () => {
    expect((await gateway({ cache: found }).app.request('/v1/scores/a')).status).toBe(200)
  })

  test.each([
    [{ authorization: 'Bearer sesame' }, 200],
    [{ authorization: 'bearer  sesame' }, 200],
    [{ 'x-api-key': 'sesame' }, 200],
    [{ 'x-api-key': 'Sesame' }, 401],
    [{ authorization: 'Basic sesame' }, 401],
    [{}, 401],
  ])('%o gives %i', async (headers, status) => {
    const { app, asked } = gateway({ cache: found, key: 'sesame' })
    const reply = await app.request('/v1/scores/a', { headers: headers as Record<string, string> })
    expect(reply.status).toBe(status)
    expect(asked).toHaveLength(status === 200 ? 1 : 0)
  })

  test('guard everything but the health pages', async () => {
    const { app, predict } = gateway({ cache: found, key: 'sesame' })
    expect((await predict({ document: {} })).status).toBe(401)
    expect((await app.request('/healthz')).status).toBe(200)
    expect((await app.request('/readyz')).status).toBe(200)
  })
})

describe('health', () => {
  test('the process lives though nothing can answer, and is then not ready', async () => {
    const { app } = gateway({ cache: unheard('cache_unreachable') })
    expect((await app.request('/healthz')).status).toBe(200)
    const reply = await app.request('/readyz')
    expect(reply.status).toBe(503)
    expect(await reply.json()).toMatchObject({ status: 'not ready', rungs: { cache: { ready: false } } })
  })

  test('one rung is enough to be ready', async () => {
    const { app } = gateway({ cache: unheard('cache_unreachable'), snapshot: stored })
    expect((await app.request('/readyz')).status).toBe(200)
  })
})

describe('what the world is told', () => {
  test('every answer counts by its source, and a degraded one counts as that too', async () => {
    const { app, metrics, predict } = gateway({ cache: unheard('cache_late'), snapshot: stored })
    await app.request('/v1/scores/a')
    await predict({ document: {} })
    expect(metrics.values()).toMatchObject({
      'freshet.answers.snapshot': 1,
      'freshet.answers.live': 1,
      'freshet.answers.cache': 0,
      'freshet.answers.degraded.cache_late': 1,
    })
    expect(Object.keys(METRICS)).toContain('freshet.answers.late')
  })

  test('a degraded answer leaves a span under the caller’s trace, a good one only by chance', async () => {
    const { app, spans } = gateway({ cache: unheard('cache_late'), snapshot: stored })
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    await app.request('/v1/scores/a', { headers: { traceparent } })
    expect(spans).toMatchObject([
      {
        name: 'GET /v1/scores/{key}',
        traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
        options: {
          attributes: {
            'http.request.method': 'GET',
            'http.route': '/v1/scores/{key}',
            'http.response.status_code': 200,
            'freshet.answer.source': 'snapshot',
            'freshet.answer.degraded': true,
            'freshet.answer.reason': 'cache_late',
            'freshet.answer.age_ms': expect.any(Number),
            'freshet.key': 'a',
          },
        },
      },
      {
        name: 'fallback to snapshot',
        options: { attributes: { 'freshet.answer.reason': 'cache_late' } },
      },
    ])
    const lucky = gateway({ cache: found, share: 0.6 })
    await lucky.app.request('/v1/scores/a')
    expect(lucky.spans).toHaveLength(1)
    const unlucky = gateway({ cache: found, share: 0.4 })
    await unlucky.app.request('/v1/scores/a')
    expect(unlucky.spans).toHaveLength(0)
  })

  test('while a store is away, only so many answers a second leave a span, and the rest are counted', async () => {
    const { app, spans, metrics } = gateway({
      cache: { kind: 'was not heard', reason: 'cache_unreachable' },
      snapshot: stored,
      spansPerSecond: 2,
    })
    for (let request = 0; request < 50; request++) await app.request('/v1/scores/a')
    const untraced = metrics.values()['freshet.requests.untraced'] ?? 0
    expect(spans.filter(({ name }) => name.startsWith('GET')).length + untraced).toBe(50)
    expect(untraced).toBeGreaterThan(0)
  })

  test('of good answers too only so many a second leave a span, and they take no place from one that is degraded', async () => {
    let isCacheAway = false
    const { app, spans, metrics } = gateway({
      cache: () => (isCacheAway ? { kind: 'was not heard', reason: 'cache_unreachable' } : found),
      snapshot: stored,
      ...{ share: 1, spansPerSecond: 1 },
    })
    for (let request = 0; request < 50; request++) await app.request('/v1/scores/a')
    const untraced = metrics.values()['freshet.requests.untraced'] ?? 0
    expect(spans.filter(({ name }) => name.startsWith('GET')).length + untraced).toBe(50)
    expect(untraced).toBeGreaterThan(0)
    isCacheAway = true
    await app.request('/v1/scores/a')
    expect(spans.filter(({ name }) => name.startsWith('GET')).at(-1)!.options.attributes).toMatchObject({
      'freshet.answer.reason': 'cache_unreachable',
    })
  })

  test('no page may be framed, sniffed or kept', async () => {
    const { app } = gateway({ cache: found })
    for (const path of ['/v1/scores/a', '/healthz', '/nowhere']) {
      const { headers } = await app.request(path)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    }
  })

  test.each([
    ['POST', '/v1/scores/a', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/v1/scores?key=a', 'GET, POST, HEAD, OPTIONS'],
    ['GET', '/v1/predict', 'POST, OPTIONS'],
    ['HEAD', '/v1/predict', 'POST, OPTIONS'],
    ['PUT', '/healthz', 'GET, HEAD, OPTIONS'],
    ['POST', '/readyz', 'GET, HEAD, OPTIONS'],
  ])('%s %s is refused, and told what is allowed', async (method, path, allow) => {
    const reply = await gateway({ cache: found }).app.request(path, { method })
    expect(reply.status).toBe(405)
    expect(reply.headers.get('allow')).toBe(allow)
    expect(reply.headers.get('content-type')).toBe('application/problem+json')
    if (method !== 'HEAD')
      expect(await reply.json()).toMatchObject({ code: 'METHOD_NOT_ALLOWED', status: 405 })
  })

  test('OPTIONS names the methods, HEAD has the headers of GET and no body', async () => {
    const { app } = gateway({ cache: found })
    const options = await app.request('/v1/scores', { method: 'OPTIONS' })
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, POST, HEAD, OPTIONS'])
    expect((await app.request('/v2', { method: 'OPTIONS' })).status).toBe(404)
    const head = await app.request('/v1/scores/a', { method: 'HEAD' })
    expect([head.status, head.headers.get('cache-status'), await head.text()]).toEqual([
      200,
      'freshet-redis; hit',
      '',
    ])
    expect((await app.request('/v1/scores/', { method: 'HEAD' })).status).toBe(404)
  })

  test('an unknown page is a problem too', async () => {
    const reply = await gateway({}).app.request('/v2/scores/a')
    expect(reply.status).toBe(404)
    expect(await reply.json()).toMatchObject({ code: 'ROUTE_UNKNOWN' })
  })
})
