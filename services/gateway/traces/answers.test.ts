import { describe, expect, test } from 'vitest'
import { gateway, stored } from '../app.kit.ts'

const found = { kind: 'has', score: stored } as const

/** Without those of requests, which a busy machine makes late. */
function ofDocuments({ spans }: ReturnType<typeof gateway>) {
  return spans.filter(({ name }) => name === 'answer document')
}

describe('the log', () => {
  test('says of an answer its key, source, age, latency and model', async () => {
    const { app, said } = gateway({ cache: found, linesPerSecond: 1 })
    await app.request(`/v1/scores/${stored.key}`)
    expect(said).toEqual([
      {
        message: expect.stringMatching(/^answered from cache in \d+\.\d ms$/),
        attributes: {
          'event.name': 'freshet.answer',
          'freshet.key': 'flights/UA-1',
          'freshet.answer.source': 'cache',
          'freshet.answer.age_ms': expect.any(Number),
          'freshet.answer.took_us': expect.any(Number),
          'freshet.answer.degraded': false,
          'freshet.model': 'delay@1',
          'http.route': '/v1/scores/{key}',
          'http.response.status_code': 200,
        },
      },
    ])
  })

  test('has ten answers at once, then few, and says how many it left out', async () => {
    const { app, said } = gateway({ cache: found, linesPerSecond: 0.000_001 })
    for (let request = 0; request < 25; request++) await app.request('/v1/scores/a')
    expect(said).toHaveLength(10)
    const { said: told, app: other } = gateway({ cache: found, linesPerSecond: 100 })
    await expect
      .poll(async () => {
        for (let request = 0; request < 25; request++) await other.request('/v1/scores/a')
        return told.some(({ attributes }) => Number(attributes['freshet.answer.left_out']) > 0)
      })
      .toBe(true)
  })

  test('has nothing where no lines are wanted', async () => {
    const { app, said } = gateway({ cache: found })
    await app.request('/v1/scores/a')
    expect(said).toEqual([])
  })

  test('says of many answers how many they are, with one of them', async () => {
    const { post, said } = gateway({ cache: found, linesPerSecond: 1 })
    await post('/v1/scores', { keys: ['a', 'b', 'c'] })
    expect(said[0]!.attributes).toMatchObject({ 'freshet.rows': 3, 'freshet.key': 'a' })
  })

  test('and spans show a hash in place of the key, when there is a salt', async () => {
    const { app, said, spans } = gateway({ cache: found, linesPerSecond: 1, share: 1, keySalt: 'secret' })
    await app.request('/v1/scores/flights/UA-1')
    expect(said[0]!.attributes['freshet.key']).toMatch(/^hashed:[0-9a-f]{32}$/)
    expect(spans[0]!.options.attributes!['freshet.key']).toBe(said[0]!.attributes['freshet.key'])
    expect(JSON.stringify([said, spans])).not.toContain('UA-1')
  })
})

describe('an answer for a traced document', () => {
  test('leaves a span in the trace of the revision that it speaks of', async () => {
    const world = gateway({ cache: found, traceOneIn: 1 })
    const { app, traced } = world
    await app.request('/v1/scores/flights/UA-1')
    expect(ofDocuments(world)).toMatchObject([
      {
        name: 'answer document',
        traceId: traced.names.traceIdOf('flights/UA-1', stored.rank.revision),
        options: {
          attributes: {
            'freshet.document.step': 'answer',
            'freshet.trace.reason': 'sample',
            'freshet.answer.source': 'cache',
            'freshet.model.generation': 1,
          },
        },
      },
    ])
  })

  test('is found among many, and where somebody named it also without a stored score, or unknown', async () => {
    const world = gateway({ cache: (key) => (key === 'b' ? found : { kind: 'has nothing' }) })
    const { app, post, predict, traced } = world
    const ask = async () => {
      await app.request('/v1/scores/a')
      await post('/v1/scores', { keys: ['c', 'b', 'a'] })
      await predict({ key: 'b', document: {} })
    }
    await ask()
    expect(ofDocuments(world)).toEqual([])
    for (const key of ['a', 'b']) traced.orders.put({ key, untilMs: Date.now() + 60_000 }, Date.now())
    await ask()
    expect(
      ofDocuments(world).map(({ options }) => ({
        route: options.attributes!['http.route'],
        key: options.attributes!['freshet.key'],
        status: options.attributes!['http.response.status_code'],
        seqNo: options.attributes!['freshet.document.seq_no'],
      })),
    ).toEqual([
      { route: '/v1/scores/{key}', key: 'a', status: 404, seqNo: undefined },
      { route: '/v1/scores', key: 'b', status: 200, seqNo: 1 },
      { route: '/v1/scores', key: 'a', status: 200, seqNo: undefined },
      { route: '/v1/predict', key: 'b', status: 200, seqNo: undefined },
    ])
  })

  test('is not made a span of for each of thousands', async () => {
    const world = gateway({ cache: found, traceOneIn: 1, spansPerSecond: 3 })
    for (let request = 0; request < 50; request++) await world.app.request('/v1/scores/a')
    expect(world.metrics.values()['freshet.requests.untraced']).toBeGreaterThan(0)
    expect(ofDocuments(world).length).toBeLessThan(50)
  })
})
