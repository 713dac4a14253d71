/** Many keys and many documents in one request, over real servers. */
import { randomUUID } from 'node:crypto'
import { RedisCluster } from '@freshet/adapters/redis/redis-cluster.kit.ts'
import { RedisScoreStore } from '@freshet/adapters/redis/redis-score-store.ts'
import { RedisServer } from '@freshet/adapters/redis/redis-server.kit.ts'
import { ensureBucket } from '@freshet/adapters/s3/s3-bucket.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { loadSettings } from '@freshet/config/load.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { pushModel } from '@freshet/model/bundle/bundle-store.ts'
import { demoBundle } from '@freshet/model/bundle/bundles.kit.ts'
import { promoteModel } from '@freshet/model/bundle/pointer-store.ts'
import { setShadow } from '@freshet/model/bundle/shadow-pointer.ts'
import { rowsOf } from '@freshet/ports/score-store.contract.ts'
import type { Answer } from '@freshet/records/answer.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { LogAttributes } from '@freshet/stage/log.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { beforeAll, expect, test, vi } from 'vitest'
import { runGateway } from '../main.ts'

const WITHIN = { timeout: 30_000 }
const keys = Array.from({ length: 1_000 }, (_, i) => `flights/${i}`)

type Told = Answer & { readonly absent?: string; readonly problem?: { readonly code: string } }

beforeAll(() => ensureBucket(loadSettings({ env: process.env }).s3))

/** A gateway on a free port; its deadline is one that a busy machine keeps. */
class Gateway implements AsyncDisposable {
  readonly #url: Promise<string>
  readonly #ended: Promise<void>
  readonly #stop = new AbortController()

  constructor(settings: Settings) {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const info = (_: string, attributes: LogAttributes = {}) => {
      const url = attributes[ATTRIBUTES.url]
      if (url !== undefined) resolve(String(url))
    }
    this.#url = promise
    this.#ended = runGateway({
      settings,
      instance: 'gateway-test',
      telemetry: quietTelemetry({ log: { ...quietLog, info } }),
      signal: this.#stop.signal,
      report: new ServiceState(),
    })
    this.#ended.catch(reject)
  }

  async get(path: string): Promise<Response> {
    return fetch(`${await this.#url}${path}`)
  }

  async post(path: string, body: unknown): Promise<{ answers: Told[]; degraded: boolean }> {
    const reply = await fetch(`${await this.#url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return (await reply.json()) as { answers: Told[]; degraded: boolean }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#ended.catch(() => undefined)
  }
}

/** Over a part of the bucket where nothing is. */
function settingsOver(redis: Partial<Settings['redis']>): Settings {
  const settings = loadSettings({ env: process.env })
  return {
    ...settings,
    pipeline: 'test',
    redis: { ...settings.redis, ttlSeconds: 0, ...redis },
    s3: { ...settings.s3, prefix: `test-${randomUUID()}` },
    model: { ...settings.model, pointerIntervalMs: 100 },
    gateway: { ...settings.gateway, port: 0, deadlineMs: 2_000, redisBudgetMs: 500, default: 0.5 },
  }
}

/** As a cache worker leaves it when all is there. */
async function storeIn({ redis }: Settings): Promise<void> {
  await using store = await RedisScoreStore.open(redis, { pipeline: 'test', log: quietLog })
  const filling = await store.mark.begin()
  await store.merge(
    rowsOf([
      ...keys.map((key, i) => ({ key, score: i })),
      { key: 'gone', state: 'deleted' as const },
      { key: 'poison', state: 'unscorable' as const },
    ]),
  )
  await store.mark.confirm(filling)
}

/** A thousand keys, and some that are not there, in an order of their own. */
async function expectAll(gateway: Gateway): Promise<void> {
  const asked = ['nobody', ...keys.slice(3).toReversed(), 'gone', 'poison']
  const ask = async () => (await gateway.post('/v1/scores', { keys: asked })).answers
  // A thousand keys are late now and then on a machine that does much else.
  await vi.waitFor(async () => {
    const answers = await ask()
    expect(answers.map(({ key }) => key)).toEqual(asked)
    expect(answers[0]).toEqual({ key: 'nobody', absent: 'unknown' })
    const found = answers.slice(1, 998).map(({ score, source, degraded }) => [score, source, degraded])
    expect(found).toEqual(keys.slice(3).map((_, i) => [999 - i, 'cache', false]))
    expect(answers[998]).toEqual({ key: 'gone', absent: 'deleted' })
    expect(answers[999]).toMatchObject({ source: 'default', reason: 'unscorable' })
  }, WITHIN)
}

test('a thousand keys are answered from Redis, each as it would be alone; frozen, it holds up none of them', async () => {
  await using redis = await RedisServer.start()
  const settings = settingsOver({ url: redis.url })
  await storeIn(settings)
  await using gateway = new Gateway(settings)
  await expectAll(gateway)
  redis.freeze()
  // A machine that does much else refuses some of so many, as it should: they are asked again.
  const ask = async () => {
    const told = await gateway.post('/v1/scores', { keys })
    expect(told).not.toMatchObject({ status: 503 })
    return told
  }
  const requests = Array.from({ length: 30 }, () => vi.waitFor(ask, WITHIN))
  for (const { answers, degraded } of await Promise.all(requests)) {
    expect(degraded).toBe(true)
    expect(answers.map(({ key }) => key)).toEqual(keys)
    for (const { source, reason } of answers) {
      expect(source).toBe('default')
      expect(reason).toMatch(/^cache_|^overloaded$/)
    }
  }
  redis.thaw() // only now: had one of them waited for Redis, it would not be here
  const sources = async () =>
    new Set((await gateway.post('/v1/scores', { keys })).answers.map(({ source }) => source))
  await expect.poll(sources, WITHIN).toEqual(new Set(['cache']))
})

test('in a cluster each slot is asked for its own', async () => {
  await using cluster = await RedisCluster.start()
  const settings = settingsOver({ url: cluster.url, cluster: true })
  await storeIn(settings)
  await using gateway = new Gateway(settings)
  await expectAll(gateway)
})

test('many documents are scored in one run, one that cannot be says so; the model tells of itself, and so do the figures', async () => {
  const bundle = await demoBundle()
  const next = { ...bundle, spec: { ...bundle.spec, version: 'next' } }
  const settings = settingsOver({ url: 'redis://127.0.0.1:1' })
  await using store = openS3(settings.s3)
  for (const one of [bundle, next]) await pushModel(store, one)
  await setShadow(store, next.spec, Date.now())
  await using gateway = new Gateway(settings)
  expect((await gateway.get('/v1/model')).status).toBe(404)
  await promoteModel(store, bundle.spec, Date.now())
  await expect.poll(async () => (await gateway.get('/v1/model')).status, WITHIN).toBe(200)
  const shadowed = { shadow: { name: next.spec.name, version: 'next' } }
  await expect.poll(async () => (await gateway.get('/v1/model')).json(), WITHIN).toMatchObject(shadowed)
  expect(await (await gateway.get('/v1/model')).json()).toMatchObject({
    name: bundle.spec.name,
    sha256: bundle.spec.sha256,
    generation: 1,
    inputs: { columns: expect.arrayContaining([expect.objectContaining({ name: 'distance' })]) },
    degraded: false,
  })
  const golden = Array.from({ length: 200 }, (_, i) => bundle.golden[i % bundle.golden.length]!)
  const documents = golden.map(({ document }, i) => ({ document, key: `flights/${i}` }))
  documents[7] = { document: { distance: 'far' }, key: 'bad' }
  let answers: readonly Told[] = []
  const predict = async () => {
    const reply = await gateway.post('/v1/predict', { documents })
    answers = reply.answers
    return reply.degraded
  }
  await expect.poll(predict, WITHIN).toBe(false) // a busy machine may be late at first
  for (const [i, answer] of answers.entries())
    if (i === 7) expect(answer).toMatchObject({ key: 'bad', problem: { status: 422 } })
    else {
      expect(answer).toMatchObject({ key: `flights/${i}`, source: 'live' })
      expect(answer.score).toBeCloseTo(Object.values(golden[i]!.outputs)[0]!, 4)
    }
  const figures = await (await gateway.get('/metrics')).text()
  expect(figures).toMatch(/^freshet_answers_total\{source="live"\} [1-9]\d*$/m)
  expect(figures).toMatch(
    /^freshet_request_duration_seconds_count\{method="POST",route="\/v1\/predict",source="live"\} [1-9]/m,
  )
  expect(figures).toMatch(/^process_resident_memory_bytes \d+$/m)
})
