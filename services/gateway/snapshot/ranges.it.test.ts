import { Buffer } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { RedisScoreStore } from '@freshet/adapters/redis/redis-score-store.ts'
import { RedisServer } from '@freshet/adapters/redis/redis-server.kit.ts'
import { ensureBucket } from '@freshet/adapters/s3/s3-bucket.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { loadSettings } from '@freshet/config/load.ts'
import type { Settings } from '@freshet/config/schema.ts'
import type { Answer } from '@freshet/records/answer.ts'
import { MANIFEST_OBJECT, manifestRecord } from '@freshet/records/manifest.ts'
import { scoreBatchOf } from '@freshet/records/score-batch.kit.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { manifestWith, partitionWith, putSnapshotFile } from '@freshet/snapshot/bucket.kit.ts'
import { objectKey } from '@freshet/snapshot/manifest.ts'
import { manyRows } from '@freshet/snapshot/rows.kit.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Metrics } from '@freshet/telemetry/metrics.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { expect, test } from 'vitest'
import { runGateway } from '../main.ts'

/** More than fit into the one MiB that the gateway may take. */
const ROWS = 40_000

test('a gateway whose snapshot does not fit into memory reads pages of it, and calls nothing unknown that it could not ask for', async () => {
  await using redis = await RedisServer.start()
  const settings = settingsOver(redis.url)
  await ensureBucket(settings.s3)
  await using store = openS3(settings.s3)
  const base = await putSnapshotFile(store, '0/base', manyRows(0, ROWS))
  const newest = scoreBatchOf([{ key: 'flights/000003', seqNo: 99_999, outputs: [-3] }])
  const delta = await putSnapshotFile(store, '0/delta', newest)
  const manifest = { ...manifestWith({ 0: partitionWith({ base, deltas: [delta] }) }), pipeline: 'test' }
  await store.put(MANIFEST_OBJECT, Buffer.from(manifestRecord.encode(manifest)))
  await markFilled(settings)

  const metrics = new Metrics()
  const stop = new AbortController()
  const { promise: url, resolve } = Promise.withResolvers<string>()
  const log = { ...quietLog, info: (_: string, attributes = {}) => tellUrl(attributes, resolve) }
  const running = runGateway({
    settings,
    instance: 'gateway-test',
    telemetry: quietTelemetry({ log, metrics }),
    signal: stop.signal,
    report: new ServiceState(),
  })
  const ask = async (key: string) => {
    const reply = await fetch(`${await url}/v1/scores/${key}`)
    return { status: reply.status, body: (await reply.json()) as Answer }
  }
  const soon = (key: string) => expect.poll(() => ask(key), { timeout: 20_000 })

  await soon('flights/031234').toMatchObject({
    body: { score: 31_234, source: 'snapshot', degraded: true, reason: 'cache_missing' },
  })
  await soon('flights/000003').toMatchObject({ body: { score: -3, source: 'snapshot' } })
  await soon('flights/nobody').toMatchObject({ status: 404 })
  expect(metrics.values()).toMatchObject({
    'freshet.gateway.snapshot.sequence': 1,
    'freshet.gateway.snapshot.behind': 0,
    'freshet.gateway.snapshot.keys': 1,
  })
  expect(metrics.values()['freshet.gateway.snapshot.lookups.found']).toBeGreaterThan(1)

  await store.delete(objectKey('0/base'))
  await soon('flights/020000').toMatchObject({
    body: { score: 0.5, source: 'default', reason: 'snapshot_unreadable' },
  })
  await soon('flights/000003').toMatchObject({ body: { score: -3, source: 'snapshot' } })
  stop.abort()
  await running
})

function tellUrl(attributes: object, tell: (url: string) => void): void {
  const url = (attributes as Record<string, unknown>)[ATTRIBUTES.url]
  if (url !== undefined) tell(String(url))
}

function settingsOver(redisUrl: string): Settings {
  const settings = loadSettings({ env: process.env })
  return {
    ...settings,
    pipeline: 'test',
    redis: { ...settings.redis, url: redisUrl, ttlSeconds: 0 },
    s3: { ...settings.s3, prefix: `test-${randomUUID()}` },
    snapshot: { ...settings.snapshot, followSeconds: 0.2 },
    gateway: {
      ...settings.gateway,
      port: 0,
      deadlineMs: 5_000, // a busy machine keeps it
      redisBudgetMs: 1_000,
      default: 0.5,
      snapshot: { mode: 'auto', memoryMiB: 1 },
    },
  }
}

/** As a cache worker leaves it: all scores are there. */
async function markFilled({ redis }: Settings): Promise<void> {
  await using store = await RedisScoreStore.open(redis, { pipeline: 'test', log: quietLog })
  await store.mark.confirm(await store.mark.begin())
}
