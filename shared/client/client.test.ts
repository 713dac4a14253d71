import assert from 'node:assert'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MAX_DOCUMENTS, MAX_KEYS } from '@freshet/gateway/routes/schemas.ts'
import { deadlineOf } from '@freshet/gateway/server/deadline.ts'
import { faultOfKey } from '@freshet/records/document-key.ts'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ClientOptions, FreshetClient } from './client.ts'
import { toResult, toResults } from './to-results.ts'
import { isKey } from './written.ts'

const answer = (key: string | null) => ({
  key,
  score: 12.5,
  source: 'cache',
  age_ms: 5,
  as_of: '2026-11-24T18:55:39.965Z',
  model: 'delay@1',
  degraded: false,
})
const problem = (status: number, code: string) => ({ type: `urn:${code}`, status, code, detail: 'why' })

type Handler = (request: IncomingMessage, reply: ServerResponse, body: string) => void

const json = (reply: ServerResponse, body: unknown, status = 200) =>
  void reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

/** A server that does what the test wants, and a client of it that waits long enough for a busy machine. */
async function world(handle: Handler, options: Partial<ClientOptions> = {}) {
  const asked: { url: string; headers: IncomingMessage['headers']; body: string }[] = []
  let behave = handle
  const server = createServer(async (request, reply) => {
    let body = ''
    for await (const part of request) body += String(part)
    asked.push({ url: request.url!, headers: request.headers, body })
    behave(request, reply, body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = new FreshetClient({ url, deadlineMs: 20_000, ...options })
  onTestFinished(() => {
    client[Symbol.dispose]()
    server.closeAllConnections()
    server.close()
  })
  return { client, server, asked, url, now: (next: Handler) => void (behave = next) }
}

/** As the gateway answers many keys. */
const answersMany: Handler = (_, reply, body) => {
  const { keys } = JSON.parse(body) as { keys: string[] }
  json(reply, { answers: keys.map(answer), degraded: false })
}
const answersOne: Handler = (request, reply) =>
  json(reply, answer(new URL(request.url!, 'http://gateway').searchParams.get('key')))
const never: Handler = () => {}

describe('a gateway that answers', () => {
  test.each(['flights/UA-1', '.', '..', 'a/b?c#d&e=f', 'ü 💧', 'a%2Fb', '+'])(
    'is asked for the key %j and no other',
    async (key) => {
      const { client } = await world(answersOne)
      expect(await client.lookup(key)).toEqual(answer(key))
    },
  )

  test.each([2 ** 31, 1e12, Number.POSITIVE_INFINITY])(
    'is told a deadline that it takes, also where the caller would wait for %d ms',
    async (deadlineMs) => {
      const { client, asked } = await world(answersOne)
      expect(await client.lookup('a', { deadlineMs })).toEqual(answer('a'))
      const told = asked[0]!.headers['x-deadline-ms'] as string
      expect(deadlineOf(0, 100, told)).toEqual({ acceptedAtMs: 0, endsAtMs: 100 })
    },
  )

  test('is told how long the caller waits, who it is, and which trace it belongs to', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const { client, asked } = await world(answersOne, { apiKey: 'sesame', traceparent: () => traceparent })
    await client.lookup('a', { deadlineMs: 10_000 })
    const { headers, url } = asked[0]!
    expect(Number(headers['x-deadline-ms'])).toBeGreaterThan(0)
    expect(Number(headers['x-deadline-ms'])).toBeLessThanOrEqual(9_995)
    expect(headers.authorization).toBe('Bearer sesame')
    expect(headers.traceparent).toBe(traceparent)
    expect(url).not.toContain('sesame')
  })

  test('gets many keys in requests as large as the gateway takes, and the answers come in the order of the keys', async () => {
    const { client, asked } = await world(answersMany)
    const keys = Array.from({ length: MAX_KEYS * 2 + 500 }, (_, i) => `key-${i % 2_000}`)
    expect((await client.lookupMany(keys)).map(({ key }) => key)).toEqual(keys)
    const sizes = asked.map(({ body }) => JSON.parse(body).keys.length)
    expect(sizes.toSorted((a, b) => a - b)).toEqual([500, MAX_KEYS, MAX_KEYS])
    expect(await client.lookupMany([])).toEqual([])
    expect(asked).toHaveLength(3)
  })

  test('sends many documents in requests as large as the gateway takes', async () => {
    const { client, asked } = await world((_, reply, body) => {
      const { documents } = JSON.parse(body) as { documents: { key: string }[] }
      json(reply, { answers: documents.map(({ key }) => answer(key)), degraded: false })
    })
    const documents = Array.from({ length: MAX_DOCUMENTS + 1 }, (_, i) => ({ document: {}, key: `${i}` }))
    expect((await client.predict(documents)).map(({ key }) => key)).toEqual(documents.map(({ key }) => key))
    const sizes = asked.map(({ body }) => JSON.parse(body).documents.length)
    expect(sizes.toSorted((a, b) => a - b)).toEqual([1, MAX_DOCUMENTS])
  })

  test('gets a document, or many with their keys', async () => {
    const { client, asked, now } = await world((_, reply) => json(reply, answer(null)))
    expect((await client.predict({ distance: 5 })).score).toBe(12.5)
    now((_, reply) =>
      json(reply, { answers: [answer('a'), { key: null, problem: problem(422, 'FIELD_TYPE') }] }),
    )
    const results = await client.predict([{ document: { distance: 5 }, key: 'a' }, { document: {} }])
    expect(results).toMatchObject([
      { key: 'a', score: 12.5 },
      { source: 'none', reason: 'unscorable' },
    ])
    expect(asked.map(({ body }) => JSON.parse(body))).toEqual([
      { document: { distance: 5 } },
      { documents: [{ document: { distance: 5 }, key: 'a' }, { document: {} }] },
    ])
  })

  test('that knows nobody of a key has answered: nothing is degraded, and the default stands in', async () => {
    const { client, now } = await world((_, reply) => json(reply, problem(404, 'KEY_UNKNOWN'), 404), {
      default: 3,
      throwsOnOutage: true,
    })
    expect(await client.lookup('a')).toMatchObject({
      score: 3,
      source: 'none',
      degraded: false,
      reason: 'unknown',
    })
    now((_, reply) => json(reply, { answers: [{ key: 'a', absent: 'deleted' }], degraded: false }))
    expect(await client.lookupMany(['a'])).toMatchObject([{ score: 3, degraded: false, reason: 'deleted' }])
  })

  test('that refuses is quoted', async () => {
    const { client } = await world((_, reply) => json(reply, problem(401, 'API_KEY_REFUSED'), 401))
    expect(await client.lookup('a')).toMatchObject({
      source: 'none',
      degraded: true,
      reason: 'gateway_refused',
      problem: { code: 'API_KEY_REFUSED' },
    })
  })

  test.each([
    ['a page', (reply: ServerResponse) => void reply.end('<h1>Welcome</h1>')],
    ['a page of an error', (reply: ServerResponse) => void reply.writeHead(502).end('Bad Gateway')],
    ['other JSON', (reply: ServerResponse) => json(reply, { ok: true })],
    ['null', (reply: ServerResponse) => json(reply, null)],
    ['fewer answers than keys', (reply: ServerResponse) => json(reply, { answers: [] })],
  ])('is not mistaken for what stands in between and sends %s', async (_, send) => {
    const { client } = await world((_, reply) => send(reply))
    const none = { source: 'none', degraded: true, reason: 'gateway_malformed' }
    expect(await client.lookup('a')).toMatchObject(none)
    expect(await client.lookupMany(['a'])).toMatchObject([none])
    expect(await client.rank({ template: 'near' })).toMatchObject(none)
  })
})

describe('a gateway that does not answer', () => {
  test('is not waited for beyond the deadline: the default is there while it still holds the request', async () => {
    const held: ServerResponse[] = []
    const { client } = await world((_, reply) => void held.push(reply), { default: 3 })
    const results = [
      await client.lookup('a', { deadlineMs: 50 }),
      ...(await client.lookupMany(['a'], { deadlineMs: 50 })),
      await client.predict({}, { deadlineMs: 50 }),
    ]
    for (const result of results)
      expect(result).toMatchObject({ score: 3, source: 'none', degraded: true, reason: 'gateway_late' })
    expect(await client.rank({ template: 'near' }, { deadlineMs: 50 })).toMatchObject({
      source: 'none',
      reason: 'gateway_late',
    })
    expect(held.every((reply) => !reply.headersSent)).toBe(true)
  })

  test('nor in the middle of its answer', async () => {
    const { client } = await world((_, reply) => void reply.writeHead(200).write('{"key":'))
    expect(await client.lookup('a', { deadlineMs: 50 })).toMatchObject({ reason: 'gateway_late' })
  })

  test('costs nothing after a few failures, and is found again when it is back', async () => {
    const { client, asked, now } = await world(never, { deadlineMs: 30 })
    while ((await client.lookup('a')).reason !== 'gateway_cut_off');
    const reached = asked.length
    const results = await Promise.all(Array.from({ length: 100 }, () => client.lookup('a')))
    expect(results.filter(({ reason }) => reason === 'gateway_cut_off').length).toBeGreaterThanOrEqual(99)
    expect(asked.length - reached).toBeLessThanOrEqual(1)
    now(answersOne)
    await expect
      .poll(async () => (await client.lookup('a', { deadlineMs: 10_000 })).source, { timeout: 20_000 })
      .toBe('cache')
  })

  test('is not cut off for callers that leave it no time, or that gave up themselves', async () => {
    const { client, now } = await world(never)
    for (let i = 0; i < 20; i++) {
      expect(await client.lookup('a', { deadlineMs: 1 })).toMatchObject({ reason: 'gateway_late' })
      await expect(client.lookup('a', { signal: AbortSignal.timeout(1) })).rejects.toThrow()
    }
    expect(await client.lookup('a', { deadlineMs: 0 })).toMatchObject({ reason: 'gateway_late' })
    now(answersOne)
    expect(await client.lookup('a')).toMatchObject({ source: 'cache' })
  })

  test('is told from one that is not there', async () => {
    const { client, server } = await world(never)
    server.close()
    expect(await client.lookup('a')).toMatchObject({ reason: 'gateway_unreachable' })
  })

  test('is an error for those who want one', async () => {
    const { client } = await world(never, { throwsOnOutage: true, deadlineMs: 30 })
    await expect(client.lookup('a')).rejects.toMatchObject({ name: 'NoAnswerError', reason: 'gateway_late' })
    await expect(client.lookupMany(['a'])).rejects.toMatchObject({ reason: 'gateway_late' })
    await expect(client.rank({ template: 'near' })).rejects.toMatchObject({ reason: 'gateway_late' })
  })
})

describe('a caller', () => {
  test('that gives up is rejected with its own reason', async () => {
    const { client } = await world(never)
    const giveUp = new AbortController()
    const waiting = client.lookup('a', { signal: giveUp.signal })
    giveUp.abort(new Error('the visitor has left'))
    await expect(waiting).rejects.toThrow('the visitor has left')
    await expect(client.lookup('a', { signal: giveUp.signal })).rejects.toThrow('the visitor has left')
  })

  test('that asks for too much at once is told so, and does not wait', async () => {
    const { client, asked, now } = await world(never, { maxInFlight: 4 })
    const giveUp = new AbortController()
    const waiting = Array.from({ length: 4 }, () => client.lookup('a', { signal: giveUp.signal }))
    expect(await client.lookup('a')).toMatchObject({ reason: 'client_overloaded', degraded: true })
    await expect.poll(() => asked.length, { timeout: 20_000 }).toBe(4)
    giveUp.abort()
    await Promise.allSettled(waiting)
    now(answersOne)
    expect(await client.lookup('a')).toMatchObject({ source: 'cache' })
  })

  test('does not notice that a kept connection was closed in the same moment', async () => {
    const requests = new WeakMap<object, number>()
    const { client, asked } = await world((request, reply) => {
      const before = requests.get(request.socket) ?? 0
      requests.set(request.socket, before + 1)
      if (before > 0) request.socket.destroy()
      else answersOne(request, reply, '')
    })
    for (let i = 0; i < 10; i++) expect(await client.lookup('a')).toMatchObject({ source: 'cache' })
    expect(asked.length).toBeGreaterThan(10)
  })
})

describe('what cannot be sent', () => {
  const circular: Record<string, unknown> = {}
  circular.self = circular

  test.each([
    ['a document that refers to itself', circular],
    ['a BigInt', { distance: 5n }],
    ['no object', new Date(0)],
  ])('%s is told, costs the others nothing and says nothing of the gateway', async (_, document) => {
    const { client, asked } = await world((_, reply, body) => {
      const { documents } = JSON.parse(body) as { documents?: { key: string }[] }
      json(
        reply,
        documents === undefined
          ? answer(null)
          : { answers: documents.map(({ key }) => answer(key)), degraded: false },
      )
    })
    const told = { source: 'none', degraded: true, reason: 'request_unsendable' }
    for (let i = 0; i < 10; i++) expect(await client.predict(document)).toMatchObject(told)
    expect(await client.rank({ template: 'near', parameters: { document } as never })).toBeDefined()
    const many = [
      { document: {}, key: 'a' },
      { document, key: 'b' },
      { document: {}, key: 'c' },
    ]
    expect(await client.predict(many)).toMatchObject([answer('a'), { key: 'b', ...told }, answer('c')])
    expect(await client.predict([{ document }])).toMatchObject([told])
    expect(await client.predict({})).toMatchObject({ source: 'cache' })
    expect(asked.filter(({ url }) => url === '/v1/predict')).toHaveLength(2)
  })

  test.each([
    ['throws', () => assert.fail('no span')],
    ['gives a header of two lines', () => 'a\r\nb: c'],
  ])('a trace context that %s is told, and says nothing of the gateway', async (_, trace) => {
    let traceparent: () => string | undefined = trace
    const { client, asked } = await world(answersOne, { traceparent: () => traceparent() })
    for (let i = 0; i < 10; i++)
      expect(await client.lookup('a')).toMatchObject({ reason: 'request_unsendable', degraded: true })
    expect(asked).toHaveLength(0)
    traceparent = () => undefined
    expect(await client.lookup('a')).toMatchObject({ source: 'cache' })
  })

  test('a key that no document has is answered here, and the others get their scores', async () => {
    const { client, asked } = await world(answersMany, { default: 3, throwsOnOutage: true })
    const none = { score: 3, source: 'none', degraded: false, reason: 'key_invalid' }
    const invalid = ['', '\ud800', 'x'.repeat(769)]
    for (const key of invalid) expect(await client.lookup(key)).toMatchObject({ key, ...none })
    expect(await client.lookupMany(invalid)).toMatchObject(invalid.map((key) => ({ key, ...none })))
    expect(asked).toHaveLength(0)
    expect(await client.lookupMany(['a', '', 'b', '\ud800'])).toMatchObject([
      answer('a'),
      { key: '', ...none },
      answer('b'),
      { key: '\ud800', ...none },
    ])
    expect(await client.predict({}, { key: '' })).toMatchObject(none)
  })

  test('a key is what the gateway takes for one', () => {
    const key = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constantFrom('', '\ud800', 'x'.repeat(768), 'x'.repeat(769), 'ü'.repeat(384), 'ü'.repeat(385)),
    )
    fc.assert(fc.property(key, (key) => isKey(key) === (faultOfKey(key) === null)))
  })

  test.each(['localhost:8080', 'ftp://gateway', 'gateway', ''])(
    'the address %j is refused at once',
    (url) => {
      expect(() => new FreshetClient({ url })).toThrow(TypeError)
    },
  )

  test.each(['', ' \n', 'two words', 'two\nlines', 'schlüssel'])(
    'the API key %j is refused at once',
    (apiKey) => {
      expect(() => new FreshetClient({ url: 'http://127.0.0.1:1', apiKey })).toThrow(TypeError)
    },
  )

  test('an API key from a file may end with a newline', async () => {
    const { client, asked } = await world(answersOne, { apiKey: 'sesame\n' })
    await client.lookup('a')
    expect(asked[0]!.headers.authorization).toBe('Bearer sesame')
  })
})

describe('very many keys', () => {
  const keys = Array.from({ length: 20 * MAX_KEYS }, (_, i) => `key-${i}`)

  test('travel a few parts at a time', async () => {
    let held = 0
    let most = 0
    const { client } = await world(async (request, reply, body) => {
      most = Math.max(most, ++held)
      await new Promise(setImmediate)
      held--
      answersMany(request, reply, body)
    })
    expect((await client.lookupMany(keys)).map(({ key }) => key)).toEqual(keys)
    expect(most).toBeLessThanOrEqual(4)
  })

  test('share one deadline, and are one failure to the gateway', async () => {
    const { client, asked, now } = await world(never)
    for (let i = 0; i < 3; i++) {
      const results = await client.lookupMany(keys, { deadlineMs: 100 })
      expect(results).toHaveLength(keys.length)
      expect(new Set(results.map(({ source, reason }) => `${source} ${reason}`))).toEqual(
        new Set(['none gateway_late']),
      )
    }
    expect(asked.length).toBeLessThanOrEqual(12)
    now(answersOne)
    expect(await client.lookup('a')).toMatchObject({ source: 'cache' })
  })

  test('nor do the parts of one call cut off a gateway that is gone', async () => {
    const { client, now } = await world((request) => void request.socket.destroy())
    const results = await client.lookupMany(keys)
    expect(new Set(results.map(({ reason }) => reason))).toEqual(new Set(['gateway_unreachable']))
    now(answersOne)
    expect(await client.lookup('a')).toMatchObject({ source: 'cache' })
  })
})

test('whatever comes back, there is one result for each key, in order, and nothing is thrown', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string(), { maxLength: 5 }),
      fc.object({
        key: fc.constantFrom('answers', 'score', 'source', 'degraded', 'absent', 'problem', 'key'),
      }),
      fc.array(fc.jsonValue(), { maxLength: 6 }),
      (keys, body, answers) => {
        for (const shown of [body, { answers }]) {
          const called = { kind: 'answered', body: shown } as const
          const results = toResults(called, keys, 3)
          expect(results).toHaveLength(keys.length)
          for (const result of [...results, toResult(called, 'a', 3)]) {
            expect(typeof result.degraded).toBe('boolean')
            if (result.source === 'none') expect(result.score).toBe(3)
          }
        }
      },
    ),
  )
})
