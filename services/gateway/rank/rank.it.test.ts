import { randomUUID } from 'node:crypto'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { RedisScoreStore } from '@freshet/adapters/redis/redis-score-store.ts'
import { RedisServer } from '@freshet/adapters/redis/redis-server.kit.ts'
import { ensureBucket } from '@freshet/adapters/s3/s3-bucket.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { rankSchema } from '@freshet/config/gateway-rank.ts'
import { loadSettings } from '@freshet/config/load.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { pushModel } from '@freshet/model/bundle/bundle-store.ts'
import { demoBundle } from '@freshet/model/bundle/bundles.kit.ts'
import { promoteModel } from '@freshet/model/bundle/pointer-store.ts'
import { scoreDocuments } from '@freshet/model/run/score-documents.ts'
import { batchOf } from '@freshet/ports/score-store.contract.ts'
import type { Answer } from '@freshet/records/answer.ts'
import { rowsOfBatch } from '@freshet/records/stored-rows.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { LogAttributes } from '@freshet/stage/log.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { runGateway } from '../main.ts'
import {
  CLAUSE_EXAMPLES,
  EXAMPLE_FIELDS,
  EXAMPLE_MAPPING,
  RANK_FEATURE_MAPPING,
} from './clause-examples.kit.ts'

const INDEX = `test-rank-${randomUUID()}`
const ELASTICSEARCH = new URL(loadSettings({ env: process.env }).elasticsearch.url)
const bundle = await demoBundle()
let hasRankFeature: boolean
const flights = bundle.golden.map(({ document }, place) => ({
  id: `f${place}`,
  document: document as { origin: string },
}))

beforeAll(async () => {
  await ensureBucket(loadSettings({ env: process.env }).s3)
  await elasticsearch('PUT', INDEX, {
    settings: { number_of_shards: 2, number_of_replicas: 0 },
    mappings: {
      properties: { origin: { type: 'keyword' }, scheduled_departure: { type: 'date' }, ...EXAMPLE_MAPPING },
    },
  })
  hasRankFeature = (await send('PUT', `${INDEX}/_mapping`, { properties: RANK_FEATURE_MAPPING })).ok
  const lines = [
    ...flights.flatMap(({ id, document }) => [{ index: { _id: id } }, { ...document, ...EXAMPLE_FIELDS }]),
    { index: { _id: 'unscorable' } },
    { origin: 'JFK', dest: 'nowhere' },
  ]
  await elasticsearch('POST', `${INDEX}/_bulk?refresh=true`, lines)
})
afterAll(() => elasticsearch('DELETE', INDEX))

async function elasticsearch(method: string, path: string, body?: unknown): Promise<void> {
  const reply = await send(method, path, body)
  expect(await reply.text()).not.toMatch(/"errors?":(true|{)/)
}

async function send(method: string, path: string, body?: unknown): Promise<Response> {
  const text = Array.isArray(body)
    ? `${body.map((line) => JSON.stringify(line)).join('\n')}\n`
    : JSON.stringify(body)
  return await fetch(new URL(path, ELASTICSEARCH), {
    method,
    ...(body !== undefined && { body: text, headers: { 'content-type': 'application/json' } }),
  })
}

/** The way to Elasticsearch: open, so slow that nothing comes back, or shut. */
class Door implements AsyncDisposable {
  state: 'open' | 'slow' | 'shut' = 'open'
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer((caller) => this.#forward(caller))

  static async to(): Promise<Door> {
    const door = new Door()
    await new Promise<void>((resolve) => door.#server.listen(0, '127.0.0.1', resolve))
    return door
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  turn(state: Door['state']): void {
    this.state = state
    if (state === 'shut') for (const socket of this.#sockets) socket.destroy()
  }

  #forward(caller: Socket): void {
    this.#keep(caller)
    if (this.state === 'shut') return void caller.destroy()
    const server = this.#keep(connect(Number(ELASTICSEARCH.port), ELASTICSEARCH.hostname))
    caller.on('close', () => server.destroy())
    server.on('close', () => caller.destroy())
    caller.pipe(server)
    server.on('data', (bytes) => this.state === 'open' && caller.write(bytes))
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    return socket.on('error', () => {}) // the other end is cut off, which is the purpose
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.turn('shut')
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

const TEMPLATES = {
  'from-airport': {
    query: { bool: { filter: [{ term: { origin: { $param: 'origin' } } }] } },
    size: 500,
    parameters: { origin: { type: 'string', maxLength: 3 } },
  },
  next: {
    query: { range: { scheduled_departure: { gte: { $param: 'from' } } } },
    sort: [{ scheduled_departure: 'asc' }],
    size: 10,
    parameters: { from: { type: 'date' } },
  },
}

interface Ranked {
  readonly answers: readonly Answer[]
  readonly pool: { readonly source: string; readonly size: number; readonly age_ms: number }
  readonly unscorable: number
  readonly degraded: boolean
  readonly reason?: string
  readonly code?: string
}

/** A gateway of the test's own over the demo's flights, with a bucket prefix of its own. */
class Gateway implements AsyncDisposable {
  readonly settings: Settings
  readonly url: Promise<string>
  readonly ended: Promise<void>
  readonly #stop = new AbortController()

  /** @param budgetMs of Elasticsearch; long where the test waits for nothing else. */
  constructor(
    redis: RedisServer,
    {
      url,
      budgetMs = 5_000,
      templates = TEMPLATES,
    }: { url?: string; budgetMs?: number; templates?: object } = {},
  ) {
    const settings = loadSettings({ env: process.env })
    this.settings = {
      ...settings,
      pipeline: 'test',
      elasticsearch: { ...settings.elasticsearch, index: INDEX, ...(url !== undefined && { url }) },
      redis: { ...settings.redis, url: redis.url, ttlSeconds: 0 },
      s3: { ...settings.s3, prefix: `test-${randomUUID()}` },
      model: { pointerIntervalMs: 100 },
      gateway: {
        ...settings.gateway,
        port: 0,
        deadlineMs: 10_000,
        redisBudgetMs: 1_000,
        rank: rankSchema.parse({ templates, elasticsearchBudgetMs: budgetMs, rawWithoutKeys: true }),
      },
    }
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const info = (_: string, { [ATTRIBUTES.url]: url }: LogAttributes = {}) =>
      url !== undefined && resolve(String(url))
    this.url = promise
    this.ended = runGateway({
      settings: this.settings,
      instance: 'gateway-test',
      telemetry: quietTelemetry({ log: { ...quietLog, info } }),
      signal: this.#stop.signal,
      report: new ServiceState(),
    })
    this.ended.catch(reject)
  }

  async promote(): Promise<void> {
    await using store = openS3(this.settings.s3)
    await pushModel(store, bundle)
    await promoteModel(store, bundle.spec, Date.now())
  }

  async ask(body: unknown): Promise<{ status: number; headers: Headers; body: Ranked }> {
    const reply = await fetch(`${await this.url}/v1/rank`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { status: reply.status, headers: reply.headers, body: (await reply.json()) as Ranked }
  }

  /** Asks again until the answer is as wanted: a machine that stood still is allowed to have its own reason first. */
  async until(body: unknown, wanted: object): Promise<Ranked> {
    let last: unknown
    await expect
      .poll(async () => (last = (await this.ask(body)).body), { timeout: 20_000 })
      .toMatchObject(wanted)
    return last as Ranked
  }

  /** All but `match_none` find something. */
  async expectToFind(examples: typeof CLAUSE_EXAMPLES): Promise<void> {
    for (const [name, all] of Object.entries(examples))
      for (const options of all) {
        const named = { pool: { source: 'elasticsearch' } }
        const { pool, reason } = await this.until({ query: { [name]: options }, size: 20 }, named)
        expect(pool.size > 0, `${name} ${JSON.stringify(options)}`).toBe(name !== 'match_none')
        expect(reason, name).not.toBe('elasticsearch_partial')
      }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.ended.catch(() => undefined)
  }
}

const fromJfk = { template: 'from-airport', parameters: { origin: 'JFK' }, top: 500 }
/** One document of that pool cannot be scored. */
const asGoodAsCanBe = { degraded: true, reason: 'unscorable' }
const fromLga = { template: 'from-airport', parameters: { origin: 'LGA' } }

test('a pool is ranked as a plain scorer ranks the same documents, and what cannot be scored comes last', async () => {
  await using redis = await RedisServer.start()
  await using gateway = new Gateway(redis)
  await gateway.promote()
  const { answers, ...ranking } = await gateway.until(fromJfk, asGoodAsCanBe)
  expect(ranking).toMatchObject({ pool: { source: 'elasticsearch' }, unscorable: 1 })
  const jfk = flights.filter(({ document }) => document.origin === 'JFK')
  const scores = await scoreDocuments(
    bundle,
    jfk.map(({ document }) => Buffer.from(JSON.stringify(document))),
  )
  const reference = jfk
    .map(({ id }, place) => ({
      key: `${INDEX}/${id}`,
      score: Object.values((scores[place] as { outputs: object }).outputs)[0] as number,
    }))
    .toSorted((a, b) => b.score - a.score)
  expect(answers.map(({ score }) => score).slice(0, -1)).toEqual(
    reference.map(({ score }) => expect.closeTo(score, 4)),
  )
  const scoreOf = new Map(answers.map(({ key, score }) => [key, score]))
  for (const { key, score } of reference) expect(scoreOf.get(key)).toBeCloseTo(score, 4)
  expect(answers.at(-1)).toMatchObject({
    key: `${INDEX}/unscorable`,
    source: 'default',
    reason: 'unscorable',
  })
  expect(answers[0]).toMatchObject({ source: 'live', model: 'arrival-delay@1', degraded: false })
  const three = (await gateway.until({ ...fromJfk, top: 3 }, { degraded: false })).answers
  expect(three.map(({ key }) => key)).toEqual(answers.slice(0, 3).map(({ key }) => key))
  const lowest = (await gateway.until({ ...fromJfk, top: 3, order: 'asc' }, { degraded: false })).answers
  expect(lowest.map(({ score }) => score)).toEqual(
    reference
      .slice(-3)
      .toReversed()
      .map(({ score }) => expect.closeTo(score, 4)),
  )
})

test('before there is a model the stored scores rank the pool, and after it the model does', async () => {
  await using redis = await RedisServer.start()
  await using gateway = new Gateway(redis)
  {
    await using store = await RedisScoreStore.open(gateway.settings.redis, {
      pipeline: 'test',
      log: quietLog,
    })
    const stored = flights.map(({ id }, place) => ({ key: `${INDEX}/${id}`, seqNo: 1, score: place }))
    await store.merge(rowsOfBatch(batchOf(stored)))
  }
  const jfk = flights.map(({ id, document }, place) => ({ key: `${INDEX}/${id}`, score: place, document }))
  const best = jfk.filter(({ document }) => document.origin === 'JFK').at(-1)!
  const { answers } = await gateway.until(fromJfk, {
    reason: 'model_missing',
    answers: expect.arrayContaining([expect.objectContaining({ source: 'cache' })]),
  })
  expect(answers[0]).toMatchObject({ key: best.key, score: best.score, source: 'cache', degraded: true })
  expect(answers.at(-1)).toMatchObject({ key: `${INDEX}/unscorable`, source: 'default' })
  await gateway.promote()
  expect((await gateway.until(fromJfk, asGoodAsCanBe)).answers[0]).toMatchObject({ source: 'live' })
})

test('with Elasticsearch stopped or slow the last pool of the query is ranked, and a query that never had one is 503', async () => {
  await using redis = await RedisServer.start()
  await using door = await Door.to()
  await using gateway = new Gateway(redis, { url: door.url, budgetMs: 400 })
  await gateway.promote()
  const whole = await gateway.until(fromJfk, asGoodAsCanBe)
  for (const [state, reason] of [
    ['slow', 'elasticsearch_late'],
    ['shut', 'elasticsearch_unreachable'],
  ] as const) {
    door.turn(state)
    await vi.waitFor(async () => {
      const ranked = await gateway.until(fromJfk, { pool: { source: 'last' }, reason })
      expect(ranked.answers.map(({ key }) => key)).toEqual(whole.answers.map(({ key }) => key))
      expect(ranked.answers[0]).toMatchObject({ source: 'live', degraded: true, reason })
      expect(ranked.answers[0]!.age_ms).toBeGreaterThanOrEqual(0)
    }, 20_000) // on a busy machine the model may be late, and what is stored ranks
    const never = await gateway.ask(fromLga)
    expect(never).toMatchObject({ status: 503, body: { code: 'POOL_UNKNOWN' } })
    expect(never.headers.get('retry-after')).toBe('1')
    door.turn('open')
    await gateway.until(fromJfk, { ...asGoodAsCanBe, pool: { source: 'elasticsearch' } })
  }
})

test('a gateway starts without Elasticsearch and without templates, and says what is missing', async () => {
  await using redis = await RedisServer.start()
  await using gateway = new Gateway(redis, { url: 'http://127.0.0.1:1', templates: {} })
  expect(await gateway.ask(fromJfk)).toMatchObject({ status: 404, body: { code: 'TEMPLATE_UNKNOWN' } })
  expect(await gateway.ask({ query: { match_all: {} } })).toMatchObject({
    status: 503,
    body: { code: 'POOL_UNKNOWN' },
  })
})

test('a template that is not allowed is told when the gateway starts', async () => {
  await using redis = await RedisServer.start()
  const templates = { bad: { query: { script: { script: 'true' } } } }
  await using gateway = new Gateway(redis, { templates })
  await expect(gateway.url).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('gateway.rank.templates.bad.query.script'),
  })
})

test('Elasticsearch takes every kind of clause that the allow-list lets through, and its refusals are the caller’s', async () => {
  await using redis = await RedisServer.start()
  await using gateway = new Gateway(redis)
  await gateway.promote()
  const next = await gateway.until(
    { template: 'next', parameters: { from: '2013-11-01' } },
    { degraded: false },
  )
  expect(next.pool.size).toBeGreaterThan(0)
  const { rank_feature, ...examples } = CLAUSE_EXAMPLES
  await gateway.expectToFind(examples)
  await vi.waitFor(async () => {
    const refused = await gateway.ask({ query: { range: { scheduled_departure: { gte: 'soon' } } } })
    expect(refused).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } })
  }, 20_000) // on a busy machine Elasticsearch may say it too late
  const by = await gateway.ask({ ...fromJfk, by: 'no_such_output' })
  expect(by).toMatchObject({
    status: 400,
    body: { detail: expect.stringContaining('arrival_delay_minutes') },
  })
})

test('so it does for rank_feature, where it has the module for it', async ({ skip }) => {
  if (!hasRankFeature) skip('this Elasticsearch has no mapper-extras')
  await using redis = await RedisServer.start()
  await using gateway = new Gateway(redis)
  await gateway.promote()
  await gateway.expectToFind({ rank_feature: CLAUSE_EXAMPLES['rank_feature']! })
})
