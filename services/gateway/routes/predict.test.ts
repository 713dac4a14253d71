import { describe, expect, test } from 'vitest'
import { gateway, stored } from '../app.kit.ts'
import type { Said } from '../ladder/said.ts'

const found = (key: string): Said => ({ kind: 'has', score: { ...stored, key } })

describe('POST /v1/predict with many documents', () => {
  test('each is answered by itself: one that cannot be scored says so in its place', async () => {
    const { predict } = gateway({})
    const documents = [{ document: {}, key: 'a' }, { document: { bad: 1 }, key: 'b' }, { document: {} }]
    const reply = await predict({ documents })
    expect(reply.status).toBe(200)
    expect(reply.headers.get('age')).toBe('0')
    expect(await reply.json()).toEqual({
      answers: [
        expect.objectContaining({ key: 'a', score: 7, source: 'live', degraded: false }),
        {
          key: 'b',
          problem: {
            type: 'urn:freshet:error:FIELD_MISSING',
            title: 'Unprocessable Entity',
            status: 422,
            detail: '/arr_delay is missing',
            code: 'FIELD_MISSING',
            hint: expect.any(String),
            retryable: false,
            errors: [{ at: '/documents/1/document/arr_delay', message: '/arr_delay is missing' }],
          },
        },
        expect.objectContaining({ key: null, score: 7, source: 'live' }),
      ],
      degraded: false,
    })
  })

  test('what the model cannot in time the stored scores answer, else the default', async () => {
    const cache = (key: string): Said => (key === 'a' ? found(key) : { kind: 'has nothing' })
    const { predict, asked } = gateway({ cache, live: { kind: 'unable', reason: 'live_late' }, default: 3 })
    const documents = [{ document: {} }, { document: {}, key: 'nobody' }, { document: {}, key: 'a' }]
    const reply = await predict({ documents })
    const late = { degraded: true, reason: 'live_late' }
    expect(await reply.json()).toMatchObject({
      answers: [
        { key: null, score: 3, source: 'default', ...late },
        { key: 'nobody', score: 3, source: 'default', ...late },
        { key: 'a', score: 12.5, source: 'cache', ...late },
      ],
      degraded: true,
    })
    expect(asked).toEqual(['nobody', 'a'])
  })

  test.each([
    ['none', { documents: [] }, '/documents'],
    ['more than 256', { documents: Array.from({ length: 257 }, () => ({ document: {} })) }, '/documents'],
    ['one without a document', { documents: [{ document: {} }, { key: 'a' }] }, '/documents/1/document'],
    ['one that is no object', { documents: [{ document: [] }] }, '/documents/0/document'],
    ['an unknown field in one', { documents: [{ document: {}, keys: 1 }] }, '/documents/0/keys'],
    [
      'one with a field of an unpleasant name',
      '{"documents":[{"document":{},"__proto__":1}]}',
      '/documents/0/__proto__',
    ],
    ['both forms at once', { documents: [{ document: {} }], document: {} }, '/document'],
  ])('%s is refused, with the place', async (_, body, at) => {
    const reply = await gateway({ maxBodyBytes: 65_536 }).predict(body)
    expect(reply.status).toBe(400)
    expect(await reply.json()).toMatchObject({ code: 'REQUEST_INVALID', errors: [{ at }] })
  })
})

describe('documents that mean harm', () => {
  test.each([
    ['__proto__', '{"document":{"__proto__":{"polluted":true}}}'],
    ['constructor', '{"document":{"constructor":{"prototype":{"polluted":true}}}}'],
    ['the same field twice', '{"document":{"a":1,"a":2}}'],
    ['half of a surrogate pair', '{"document":{"a\\ud800":"\\udc00"}}'],
    ['NUL', '{"document":{"\\u0000":"\\u0000"},"key":"a\\u0000b"}'],
    ['a number beyond all bounds', '{"document":{"a":1e999,"b":-1e999,"c":1e-999}}'],
  ])('%s neither pollutes nor crashes', async (_, body) => {
    const { app, predict } = gateway({})
    expect((await predict(body)).status).toBe(200)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect((await app.request('/healthz')).status).toBe(200)
  })

  test.each([
    ['a compressed body', '{"document":{}}', { 'content-encoding': 'gzip' }, 415],
    ['another charset', '{"document":{}}', { 'content-type': 'application/json; charset=latin1' }, 415],
    ['our charset', '{"document":{}}', { 'content-type': 'Application/JSON;charset="UTF-8"' }, 200],
    ['a byte order mark', '\ufeff{"document":{}}', {}, 400],
    ['nothing', '', {}, 400],
  ])('%s', async (_, body, headers, status) => {
    expect((await gateway({}).predict(body, headers)).status).toBe(status)
  })

  test('a body that is not UTF-8 is refused, and not mended', async () => {
    const body = Buffer.concat([Buffer.from('{"document":{"a":"'), Buffer.from([0xff]), Buffer.from('"}}')])
    const reply = await gateway({}).app.request('/v1/predict', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    expect(reply.status).toBe(400)
    expect(await reply.json()).toMatchObject({ detail: 'the body is not UTF-8' })
  })
})
