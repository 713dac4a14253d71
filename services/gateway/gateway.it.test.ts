import { Buffer } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { RedisScoreStore } from '@freshet/adapters/redis/redis-score-store.ts'
import { RedisServer } from '@freshet/adapters/redis/redis-server.kit.ts'
import { ensureBucket } from '@freshet/adapters/s3/s3-bucket.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { loadSettings } from '@freshet/config/load.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { pushModel } from '@freshet/model/bundle/bundle-store.ts'
import { demoBundle } from '@freshet/model/bundle/bundles.kit.ts'
import { promoteModel } from '@freshet/model/bundle/pointer-store.ts'
import { batchOf } from '@freshet/ports/score-store.contract.ts'
import type { Answer } from '@freshet/records/answer.ts'
import { MANIFEST_OBJECT, manifestRecord } from '@freshet/records/manifest.ts'
import { rowsOfBatch } from '@freshet/records/stored-rows.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { objectKey } from '@freshet/snapshot/manifest.ts'
import { sortRows } from '@freshet/snapshot/sort.ts'
import { wholeFile } from '@freshet/snapshot/whole-file.kit.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { LogAttributes } from '@freshet/stage/log.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Metrics } from '@freshet/telemetry/metrics.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { beforeAll, expect, test } from 'vitest'
import { runGateway } from './main.ts'
import { begunRequest } from './server/begun-request.kit.ts'

/** Long enough that a busy machine keeps it. */
const DEADLINE_MS = 1_000

beforeAll(() => ensureBucket(loadSettings({ env: process.env }).s3))

/** A gateway of the test's own on a free port, over a bucket prefix where nothing is unless told otherwise. */
class Gateway implements AsyncDisposable {
  readonly metrics = new Metrics()
  readonly state = new ServiceState()
  readonly url: Promise<string>
  readonly ended: Promise<void>
  readonly #stop = new AbortController()

  constructor(redisUrl: string, change: (settings: Settings) => Settings = (settings) => settings) {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const info = (_: string, attributes: LogAttributes = {}) => {
      const url = attributes[ATTRIBUTES.url]
      if (url !== undefined) resolve(String(url))
    }
    const telemetry = quietTelemetry({ log: { ...quietLog, info }, metrics: this.metrics })
    this.url = promise
    this.ended = runGateway({
      settings: change(settingsOver(redisUrl)),
      instance: 'gateway-test',
      telemetry,
      signal: this.#stop.signal,
      report: this.state,
    })
    this.ended.catch(reject)
  }

  async get(path: string): Promise<{ status: number; body: Answer }> {
    const reply = await fetch(`${await this.url}${path}`)
    return { status: reply.status, body: (await reply.json()) as Answer }
  }

  async post(path: string, body: unknown): Promise<{ status: number; body: Answer }> {
    const headers = { 'content-type': 'application/json' }
    const reply = await fetch(`${await this.url}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    return { status: reply.status, body: (await reply.json()) as Answer }
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => undefined)
  }
}

function settingsOver(redisUrl: string): Settings {
  const settings = loadSettings({ env: process.env })
  return {
    ...settings,
    pipeline: 'test',
    redis: { ...settings.redis, url: redisUrl, ttlSeconds: 0 },
    s3: { ...settings.s3, prefix: `test-${randomUUID()}` },
    snapshot: { ...settings.snapshot, followSeconds: 0.2 },
    gateway: { ...settings.gateway, port: 0, deadlineMs: DEADLINE_MS, redisBudgetMs: 50, default: 0.5 },
  }
}

/** Commits a snapshot of one base. */
async function snapshotIn(settings: Settings, rows: Parameters<typeof batchOf>[0]): Promise<void> {
  await using store = openS3(settings.s3)
  const { bytes, ...file } = await wholeFile([sortRows(rowsOfBatch(batchOf(rows)))])
  await store.put(objectKey('base.parquet'), bytes)
  const base = { ...file, object: 'base.parquet', bytes: bytes.length }
  const manifest = manifestRecord.encode({
    version: 1,
    pipeline: 'test',
    sequence: 1,
    writtenAtMs: Date.now(),
    writtenBy: { instance: 'test', attempt: '1' },
    partitions: { 0: { nextOffset: 1, base, deltas: [], retired: [] } },
  })
  await store.put(MANIFEST_OBJECT, Buffer.from(manifest))
}

/** As a cache worker leaves it: all scores are there, unless they are still being brought. */
async function storeIn(
  redisUrl: string,
  rows: Parameters<typeof batchOf>[0],
  { filled = true } = {},
): Promise<void> {
  await using store = await RedisScoreStore.open(settingsOver(redisUrl).redis, {
    pipeline: 'test',
    log: quietLog,
  })
  const filling = await store.mark.begin()
  await store.merge(rowsOfBatch(batchOf(rows)))
  if (filled) await store.mark.confirm(filling)
}

const withoutS3 = (settings: Settings) => ({
  ...settings,
  s3: { ...settings.s3, endpoint: 'http://127.0.0.1:1' },
})

test('a stored score is answered from the cache, a deleted or unknown key is 404, a poisoned one the default', async () => {
  await using redis = await RedisServer.start()
  await storeIn(redis.url, [
    { key: 'flights/UA-1', score: 12.5 },
    { key: 'gone', state: 'deleted' },
    { key: 'poison', state: 'unscorable' },
  ])
  await using gateway = new Gateway(redis.url)
  // On a busy machine single answers may come from lower down the ladder.
  const told = (path: string) => expect.poll(() => gateway.get(`/v1/scores/${path}`))
  const stored = { source: 'cache', score: 12.5, model: 'delay@1', degraded: false }
  await told('flights/UA-1').toMatchObject({ body: stored })
  await told('gone').toMatchObject({ status: 404 })
  await told('poison').toMatchObject({ body: { source: 'default', score: 0.5, reason: 'unscorable' } })
  await told('nobody').toMatchObject({ status: 404 })
})

test('while Redis is refilled a key that it has not got yet is not called unknown', async () => {
  await using redis = await RedisServer.start()
  await storeIn(redis.url, [{ key: 'a', score: 1 }], { filled: false })
  await using gateway = new Gateway(redis.url)
  await expect.poll(async () => (await gateway.get('/v1/scores/a')).body.source).toBe('cache')
  const filling = { source: 'default', score: 0.5, degraded: true, reason: 'cache_filling' }
  const ask = () => gateway.get('/v1/scores/late')
  await expect.poll(async () => (await ask()).body, { timeout: 10_000 }).toMatchObject(filling)
  await storeIn(redis.url, [])
  await expect.poll(async () => (await ask()).status, { timeout: 10_000 }).toBe(404)
})

test('the snapshot answers while Redis is away, and whenever it knows better', async () => {
  await using redis = await RedisServer.start()
  await storeIn(redis.url, [
    { key: 'a', seqNo: 1, score: 1 },
    { key: 'b', seqNo: 1, score: 1 },
  ])
  const prefix = `test-${randomUUID()}`
  const inBucket = (settings: Settings) => ({ ...settings, s3: { ...settings.s3, prefix } })
  await snapshotIn(inBucket(settingsOver(redis.url)), [
    { key: 'a', seqNo: 1, score: 1 },
    { key: 'b', seqNo: 2, score: 2 },
    { key: 'gone', state: 'deleted' },
  ])
  await using gateway = new Gateway(redis.url, inBucket)
  const ask = (key: string) => gateway.get(`/v1/scores/${key}`)
  await expect.poll(async () => (await ask('b')).body.reason, { timeout: 20_000 }).toBe('cache_behind')
  expect((await ask('b')).body).toMatchObject({ score: 2, source: 'snapshot', degraded: true })
  expect((await ask('a')).body).toMatchObject({ score: 1, source: 'cache', degraded: false })
  redis.freeze()
  expect((await ask('a')).body).toMatchObject({ score: 1, source: 'snapshot', degraded: true })
  expect((await ask('gone')).status).toBe(404)
  await redis.restart()
  await expect.poll(async () => (await ask('a')).body.reason, { timeout: 10_000 }).toBe('cache_filling')
})

test('a snapshot that has lost a file, or its manifest, is told in the heartbeat until it is whole; answers go on', async () => {
  await using redis = await RedisServer.start()
  await storeIn(redis.url, [{ key: 'a', score: 1 }])
  const { s3 } = settingsOver(redis.url)
  const inBucket = (settings: Settings) => ({ ...settings, s3 })
  await snapshotIn(inBucket(settingsOver(redis.url)), [{ key: 'a', score: 1 }])
  await using store = openS3(s3)
  const { body } = await store.get(objectKey('base.parquet'))
  await store.delete(objectKey('base.parquet'))
  await using gateway = new Gateway(redis.url, inBucket)
  const state = (timeout = 10_000) => expect.poll(() => gateway.state.snapshot(), { timeout })
  const failing = (code: string) => ({ status: 'failing', lastError: expect.stringContaining(code) })
  await state().toMatchObject(failing('SNAPSHOT_FILE_MISSING'))
  expect((await gateway.get('/v1/scores/a')).body).toMatchObject({ score: 1 })
  await store.put(objectKey('base.parquet'), body)
  await state(40_000).toMatchObject({ status: 'running' })
  await store.put(MANIFEST_OBJECT, Buffer.from('{"version":1,'))
  await state().toMatchObject(failing('RECORD_MALFORMED'))
})

test('a Redis that is away, stands still or came back empty is told in the heartbeat until all is well', async () => {
  await using redis = await RedisServer.start()
  await storeIn(redis.url, [{ key: 'a', score: 1 }])
  await using gateway = new Gateway(redis.url)
  const state = () => expect.poll(() => gateway.state.snapshot(), { timeout: 45_000 })
  const failing = (code: string) => ({
    status: 'failing',
    failing: [{ worker: 'cache', error: expect.stringContaining(code) }],
  })
  await gateway.get('/v1/scores/a')
  redis.freeze()
  await state().toMatchObject(failing('REDIS_UNREACHABLE'))
  redis.thaw()
  await state().toMatchObject({ status: 'running' })
  await redis.kill()
  await state().toMatchObject(failing('REDIS_UNREACHABLE'))
  await redis.restart()
  await state().toMatchObject(failing('REDIS_FILLING'))
  await storeIn(redis.url, [{ key: 'a', score: 1 }])
  await state().toMatchObject({ status: 'running' })
}, 60_000)

test('while Redis is frozen every answer comes all the same and says it is degraded; after that all is well again', async () => {
  await using redis = await RedisServer.start()
  await storeIn(redis.url, [{ key: 'a', score: 1 }])
  await using gateway = new Gateway(redis.url)
  const ask = () => gateway.get('/v1/scores/a')
  await expect.poll(async () => (await ask()).body.source, { timeout: 10_000 }).toBe('cache')
  redis.freeze()
  const answers = await Promise.all(Array.from({ length: 200 }, ask))
  for (let i = 0; i < 50; i++) answers.push(await ask())
  for (const { status, body } of answers) {
    expect(status).toBe(200)
    expect(body).toMatchObject({ score: 0.5, source: 'default', degraded: true })
  }
  redis.thaw() // only now: had one of them waited for Redis, it would not be here
  await expect.poll(async () => (await ask()).body.source, { timeout: 5_000 }).toBe('cache')
  const counted = Object.entries(gateway.metrics.values()).filter(([name]) =>
    name.startsWith('freshet.answers.degraded.'),
  )
  expect(counted.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThanOrEqual(250)
})

test('a gateway starts and answers though Redis, S3 and the model are all away, and tells what is missing', async () => {
  await using redis = await RedisServer.start()
  await redis.kill()
  await using gateway = new Gateway(redis.url, withoutS3)
  expect((await gateway.get('/v1/scores/a')).body).toMatchObject({
    source: 'default',
    degraded: true,
    reason: 'cache_unreachable',
  })
  await expect
    .poll(async () => (await gateway.get('/readyz')).body, { timeout: 10_000 })
    .toMatchObject({
      rungs: {
        cache: { ready: false, reason: 'REDIS_UNREACHABLE' },
        snapshot: { ready: false },
        live: { ready: false },
        default: { ready: true },
      },
    })
  await redis.restart()
  await storeIn(redis.url, [{ key: 'a', score: 1 }])
  await expect
    .poll(async () => (await gateway.get('/v1/scores/a')).body.source, { timeout: 10_000 })
    .toBe('cache')
})

test('a wrong password shows in readiness, not to callers', async () => {
  await using redis = await RedisServer.start(['--requirepass', 'right'])
  await using gateway = new Gateway(redis.url.replace('//', '//:wrong@'))
  await expect
    .poll(async () => (await gateway.get('/readyz')).body, { timeout: 10_000 })
    .toMatchObject({ rungs: { cache: { reason: 'REDIS_UNAUTHORIZED' } } })
  expect((await gateway.get('/v1/scores/a')).body).toMatchObject({ source: 'default', degraded: true })
})

test('the promoted model scores a document live, and the next one takes over without a failed answer', async () => {
  const bundle = await demoBundle()
  const next = { ...bundle, spec: { ...bundle.spec, version: 'next' } }
  const prefix = `test-${randomUUID()}`
  const inBucket = (settings: Settings) => ({
    ...settings,
    model: { pointerIntervalMs: 100 },
    s3: { ...settings.s3, prefix },
    gateway: { ...settings.gateway, deadlineMs: 5_000 }, // a busy machine answers late, and then not live
  })
  await using store = openS3(inBucket(settingsOver('redis://127.0.0.1:1')).s3)
  for (const one of [bundle, next]) await pushModel(store, one)
  await promoteModel(store, bundle.spec, Date.now())
  await using gateway = new Gateway('redis://127.0.0.1:1', inBucket)
  const { document, outputs } = bundle.golden[0]!
  const predict = () => gateway.post('/v1/predict', { document })
  let { body } = await predict()
  const isLive = async () => ({ body } = await predict()).body.source
  await expect.poll(isLive, { timeout: 20_000 }).toBe('live') // and not at once: a busy loop answers from memory
  expect(body.score).toBeCloseTo(Object.values(outputs)[0]!, 4)
  await promoteModel(store, next.spec, Date.now())
  const label = `${next.spec.name}@next`
  await expect
    .poll(
      async () => {
        const answer = (await predict()).body
        expect(answer).toMatchObject({ source: 'live', score: body.score, degraded: false })
        return answer.model
      },
      { timeout: 20_000 },
    )
    .toBe(label)
  expect((await gateway.post('/v1/predict', { document: { distance: 'far' } })).status).toBe(422)
})

test('a port that is taken is told as that', async () => {
  await using redis = await RedisServer.start()
  const onPortOfRedis = (settings: Settings) => ({
    ...settings,
    gateway: { ...settings.gateway, port: redis.port },
  })
  await using gateway = new Gateway(redis.url, onPortOfRedis)
  await expect(gateway.url).rejects.toMatchObject({ code: 'PORT_TAKEN' })
})

test('a gateway that is told to stop answers what it has in hand', async () => {
  await using redis = await RedisServer.start()
  await using gateway = new Gateway(redis.url)
  await expect.poll(async () => (await gateway.get('/readyz')).status, { timeout: 10_000 }).toBe(200)
  redis.freeze()
  const port = Number(new URL(await gateway.url).port)
  const inHand = await Promise.all(Array.from({ length: 20 }, () => begunRequest(port)))
  const stopped = gateway.stop()
  const answers = await Promise.all(inHand.map((request) => request.finish()))
  for (const answer of answers) expect(answer).toContain('HTTP/1.1 200')
  await stopped
  expect(gateway.metrics.values()['freshet.answers.default']).toBe(20)
  await expect(fetch(await gateway.url)).rejects.toThrow()
})
