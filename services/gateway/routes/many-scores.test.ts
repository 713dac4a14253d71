import { describe, expect, test } from 'vitest'
import { gateway, stored } from '../app.kit.ts'
import { type Said, unheard } from '../ladder/said.ts'

const found = (key: string): Said => ({
  kind: 'has',
  score: { ...stored, key, outputs: { delay: key.length } },
})

describe('POST /v1/scores', () => {
  test('answers each key as it was asked for, twice the same if need be', async () => {
    const { post, asked } = gateway({ cache: found })
    const keys = ['ccc', 'a', 'bb', 'a', '__proto__']
    const reply = await post('/v1/scores', { keys })
    expect(reply.status).toBe(200)
    expect(asked).toEqual(keys)
    const body = (await reply.json()) as { answers: { key: string; score: number }[]; degraded: boolean }
    expect(body.answers.map(({ key, score }) => [key, score])).toEqual(keys.map((key) => [key, key.length]))
    expect(body.answers[0]).toEqual({
      key: 'ccc',
      score: 3,
      source: 'cache',
      age_ms: expect.any(Number),
      as_of: '2023-11-14T22:13:20.000Z',
      model: 'delay@1',
      degraded: false,
    })
    expect(body.degraded).toBe(false)
    expect(reply.headers.get('cache-status')).toBe('freshet-redis; hit')
    expect(Number(reply.headers.get('age'))).toBeGreaterThan(0)
    expect(reply.headers.get('server-timing')).toMatch(/^total;dur=[\d.]+$/)
  })

  test('what is unknown or deleted says so in its place, and a default why it is one', async () => {
    const said: Record<string, Said> = {
      gone: { kind: 'has', score: { ...stored, state: 'deleted', outputs: {} } },
      nobody: { kind: 'has nothing' },
      late: unheard('cache_late'),
      here: found('here'),
    }
    const { post, metrics, spans } = gateway({ cache: (key) => said[key]!, default: 3 })
    const reply = await post('/v1/scores', { keys: ['gone', 'nobody', 'late', 'here'] })
    expect(await reply.json()).toEqual({
      answers: [
        { key: 'gone', absent: 'deleted' },
        { key: 'nobody', absent: 'unknown' },
        expect.objectContaining({ key: 'late', score: 3, source: 'default', reason: 'cache_late' }),
        expect.objectContaining({ key: 'here', source: 'cache', degraded: false }),
      ],
      degraded: true,
    })
    expect(reply.headers.get('cache-status')).toBe(
      'freshet-snapshot; fwd=miss, freshet-redis; fwd=partial; detail="1 of 4"',
    )
    expect(metrics.values()).toMatchObject({
      'freshet.answers.cache': 1,
      'freshet.answers.default': 1,
      'freshet.answers.degraded.cache_late': 1,
    })
    expect(spans).toMatchObject([
      { name: 'POST /v1/scores', options: { attributes: { 'freshet.rows': 4 } } },
      { name: 'fallback to other sources' },
    ])
  })

  test('a thousand keys are answered, one more is refused', async () => {
    const { post } = gateway({ cache: found, maxBodyBytes: 1_048_576 })
    const keys = Array.from({ length: 1_000 }, (_, i) => `flights/${i}`)
    const { answers } = (await (await post('/v1/scores', { keys })).json()) as { answers: { key: string }[] }
    expect(answers.map(({ key }) => key)).toEqual(keys)
    expect((await post('/v1/scores', { keys: [...keys, 'one more'] })).status).toBe(400)
  })

  test('while Redis is away the snapshot answers all of them, each with the reason', async () => {
    const { post } = gateway({ cache: unheard('cache_unreachable'), snapshot: stored })
    const reply = await post('/v1/scores', { keys: ['a', 'b'] })
    const degraded = { source: 'snapshot', degraded: true, reason: 'cache_unreachable' }
    expect(await reply.json()).toMatchObject({ answers: [degraded, degraded], degraded: true })
    expect(reply.headers.get('cache-status')).toBe('freshet-snapshot; hit, freshet-redis; fwd=miss')
  })

  test.each([
    ['no keys', { keys: [] }, '/keys'],
    ['nothing', {}, '/keys'],
    ['an unknown field', { keys: ['a'], extra: 1 }, '/extra'],
    ['a key that is no text', { keys: ['a', 7] }, '/keys/1'],
    ['an empty key', { keys: ['a', 'b', ''] }, '/keys/2'],
    ['a key that is too long', { keys: ['ü'.repeat(385)] }, '/keys/0'],
    ['half of a surrogate pair', '{"keys":["a\\ud800"]}', '/keys/0'],
    ['a field of an unpleasant name', '{"keys":["a"],"__proto__":{}}', '/__proto__'],
    ['another field of an unpleasant name', '{"keys":["a"],"constructor":{}}', '/constructor'],
    ['a body that is no object', '["a"]', ''],
    ['null', 'null', ''],
  ])('%s is refused, with the place', async (_, body, at) => {
    const reply = await gateway({ cache: found }).post('/v1/scores', body)
    expect(reply.status).toBe(400)
    expect(await reply.json()).toMatchObject({
      code: 'REQUEST_INVALID',
      retryable: false,
      errors: [{ at, message: expect.any(String) }],
    })
  })
})
