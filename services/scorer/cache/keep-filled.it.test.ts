/**
 * A Redis that loses its data gets it back: from the snapshot, and from what was scored since. Real Kafka, Redis and S3;
 * the truth is a plain map of the same rows.
 */
import type { Buffer } from 'node:buffer'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { MemoryScoreStore } from '@freshet/adapters/memory/score-store.ts'
import { RedisCluster } from '@freshet/adapters/redis/redis-cluster.kit.ts'
import { RedisScoreStore } from '@freshet/adapters/redis/redis-score-store.ts'
import { RedisServer } from '@freshet/adapters/redis/redis-server.kit.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { batchOf, type Row } from '@freshet/ports/score-store.contract.ts'
import { encodeScoreBatch } from '@freshet/records/score-batch.ts'
import { rowsOfBatch } from '@freshet/records/stored-rows.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { filesOf, objectKey, readManifest } from '@freshet/snapshot/manifest.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { freshet } from '../../../test/freshet.ts'
import { runScorer } from '../main.ts'
import { World, whileRunning } from '../world.kit.ts'

const DEADLINE = { timeout: 45_000, interval: 100 }
const ROWS = 3_000

let folder: string
let server: RedisServer
let admin: ReturnType<RedisServer['newClient']>
let world: World
let truth: MemoryScoreStore
const keys = new Set<string>()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freshet-redis-'))
  server = await RedisServer.start(['--dir', folder])
  admin = server.newClient()
  world = await World.open({ FRESHET_REDIS_URL: server.url, FRESHET_SNAPSHOT_INTERVAL_SECONDS: '1' })
  truth = new MemoryScoreStore()
  keys.clear()
})
afterEach(async () => {
  admin.disconnect()
  await world[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

/** As infer would send it. */
async function score(partition: number, rows: readonly Row[], scoredAtMs = Date.now()): Promise<void> {
  const { header, ...more } = batchOf(rows)
  const batch = { ...more, header: { ...header, partition, scoredAtMs } }
  await truth.merge(rowsOfBatch(batch))
  for (const { key } of rows) keys.add(key)
  const message = { partition, key: null, value: encodeScoreBatch(batch) }
  await world.producer.send(world.topic('scores'), [message], AbortSignal.timeout(10_000))
}

function flights(from: number, to: number, row: Partial<Row> = {}): Row[] {
  return Array.from({ length: to - from }, (_, i) => ({ key: `flights/${from + i}`, score: i / 7, ...row }))
}

/**
 * Runs scorers while `during` does its part, then stops them as SIGTERM would.
 * @param states filled with what each would say of itself
 */
async function withScorers(
  workers: ('cache' | 'snapshot')[][],
  during: () => Promise<void>,
  states: ServiceState[] = [],
): Promise<void> {
  const start = (signal: AbortSignal) =>
    workers.map((names, i) => {
      const report = new ServiceState()
      states.push(report)
      const context = { ...world.context(signal), report }
      const settings = { ...context.settings, scorer: { ...context.settings.scorer, workers: names } }
      return runScorer({ ...context, settings, instance: `scorer-${i}` })
    })
  await whileRunning(start, during)
}

/** All rows so far are in Redis and in the snapshot, and no scorer runs. */
async function snapshotTaken(): Promise<void> {
  await withScorers([['cache', 'snapshot']], async () => {
    await untilInSnapshot(2)
    await expectWhole()
  })
}

async function untilInSnapshot(messages: number): Promise<void> {
  await using store = openS3(world.settings.s3)
  await vi.waitFor(async () => {
    const { manifest } = (await readManifest(store, world.settings.pipeline))!
    const held = Object.values(manifest.partitions).map(({ nextOffset }) => nextOffset)
    expect(held.reduce((sum, offset) => sum + offset, 0)).toBe(messages)
  }, DEADLINE)
}

async function expectWhole(): Promise<void> {
  const { redis, pipeline } = world.settings
  await vi.waitFor(async () => {
    await using store = await RedisScoreStore.open(redis, { pipeline, log: quietLog })
    const found = await Promise.all([...keys].map(async (key) => [key, await store.get(key)] as const))
    const expected = await Promise.all([...keys].map(async (key) => [key, await truth.get(key)] as const))
    expect(new Map(found)).toEqual(new Map(expected))
    expect(await store.mark.isFilled()).toBe(true)
  }, DEADLINE)
}

const refills = () => world.metrics.values()['freshet.cache.refills']!

test('a flushed Redis is noticed and refilled from the snapshot and from what came after it, by one of two scorers', async () => {
  await score(0, flights(0, ROWS))
  await score(1, [
    ...flights(0, 10, { seqNo: 2, state: 'deleted' }),
    ...flights(ROWS, ROWS + 10, { state: 'unscorable' }),
  ])
  await snapshotTaken()
  const before = refills()
  await withScorers([['cache'], ['cache']], async () => {
    await score(2, flights(100, 300, { seqNo: 5, score: 42 }))
    await expectWhole()
    await admin.flushall()
    await expectWhole()
  })
  expect(refills()).toBe(before + 1)
  expect(world.metrics.values()).toMatchObject({ 'freshet.cache.refill_left': 0 })
  expect(await admin.get(`${world.settings.pipeline}:refiller`)).toBeNull()
})

test('a Redis that comes back with the data of some time ago is refilled too', async () => {
  await score(0, flights(0, ROWS))
  await score(1, [])
  await snapshotTaken()
  await withScorers([['cache']], async () => {
    await expectWhole()
    const dump = await dumpOf(admin)
    await score(2, flights(0, 100, { seqNo: 9, score: 1 }))
    await expectWhole()
    await server.restart()
    await restore(admin, dump)
    await expectWhole()
  })
})

describe('a Redis that was restarted and has kept its data', () => {
  const markKey = () => `${world.settings.pipeline}:filled`

  /** All rows are in Redis and in the file that it starts from, whose mark says `mark`; then some more are scored. */
  async function savedAndMore(change: (mark: string) => string = (mark) => mark): Promise<void> {
    await score(0, flights(0, ROWS))
    await score(1, flights(ROWS, ROWS + 10))
    await snapshotTaken()
    await withScorers([['cache', 'snapshot']], async () => {
      const told = () =>
        vi.waitFor(async () => expect(await admin.get(markKey())).toMatch(/ 0:1,1:1,/), DEADLINE)
      await told()
      await admin.set(markKey(), change((await admin.get(markKey()))!))
      await admin.save()
      await score(0, flights(0, 100, { seqNo: 9, score: 1 }))
      await score(2, flights(ROWS + 10, ROWS + 20))
      await untilInSnapshot(4)
      await expectWhole()
    })
    await server.restart()
  }

  async function refilledRows(): Promise<number> {
    const before = world.metrics.values()['freshet.cache.refilled']!
    await withScorers([['cache']], expectWhole)
    return world.metrics.values()['freshet.cache.refilled']! - before
  }

  test('gets what came after it was saved, and nothing else', async () => {
    await savedAndMore()
    expect(await refilledRows()).toBe(110)
  })

  test('gets everything where its position lies behind the end of the topic, which was made anew', async () => {
    await savedAndMore((mark) => mark.replace(' 0:1,', ' 0:99,'))
    expect(await refilledRows()).toBeGreaterThan(ROWS)
  })

  test('gets everything where Kafka has deleted what came after', async () => {
    await savedAndMore()
    const [topic, signal] = [world.topic('scores'), AbortSignal.timeout(20_000)]
    await withAdmin(world.connection, { doing: 'deleting records', signal }, async (client) => {
      await client.fetchTopicMetadata({ topics: [topic] })
      await client.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] })
    })
    expect(await refilledRows()).toBeGreaterThan(ROWS)
  })
})

test('what is lost while it is refilled is brought again', async () => {
  await score(0, flights(0, ROWS))
  await score(1, flights(ROWS, 2 * ROWS))
  await snapshotTaken()
  const before = refills()
  await admin.flushall()
  await withScorers([['cache']], async () => {
    for (let wiped = 0; wiped < 3; ) {
      await vi.waitFor(async () => expect(await admin.dbsize()).toBeGreaterThan(64), {
        ...DEADLINE,
        interval: 1,
      })
      await admin.flushall()
      wiped++
    }
    await expectWhole()
  })
  expect(refills()).toBeGreaterThan(before)
})

test('a snapshot file that is gone does not keep the others back, and is told', async () => {
  await score(0, flights(0, ROWS))
  await score(1, flights(ROWS, 2 * ROWS))
  await snapshotTaken()
  await using store = openS3(world.settings.s3)
  const { manifest } = (await readManifest(store, world.settings.pipeline))!
  const [lost] = filesOf(manifest.partitions['0']!)
  const file = await store.get(objectKey(lost!.object))
  await store.delete(objectKey(lost!.object))
  await admin.flushall()
  await withScorers([['cache']], async () => {
    await untilTold(lost!.object)
    expect(await admin.exists(`${world.settings.pipeline}:score:flights/${ROWS}`)).toBe(1)
    await store.put(objectKey(lost!.object), file.body)
    await expectWhole()
  })
})

test('a Redis that stands still, is killed and comes back empty under load has every score in the end', {
  timeout: 150_000,
}, async () => {
  await score(0, flights(0, ROWS))
  const load = flowing()
  await withScorers([['cache', 'snapshot']], async () => {
    const written = () => world.metrics.values()['freshet.cache.rows']!
    const atStart = written()
    await vi.waitFor(() => expect(written()).toBeGreaterThan(atStart), DEADLINE)
    server.freeze()
    await untilTold('writing to the cache again')
    server.thaw()
    await server.kill()
    const sentWhileAlive = load.sent()
    await vi.waitFor(() => expect(load.sent()).toBeGreaterThan(sentWhileAlive + 20), DEADLINE)
    const before = refills()
    await server.restart()
    await vi.waitFor(() => expect(refills()).toBe(before + 1), DEADLINE)
    await load.end()
    await expectWhole()
  }).finally(load.end)
})

/** Scores and deletes that keep coming, at most 2,000 rows a second, until `end`. */
function flowing(): { readonly sent: () => number; readonly end: () => Promise<void> } {
  const stop = new AbortController()
  let sent = 0
  const flow = (async () => {
    for (let seqNo = 2; !stop.signal.aborted; seqNo++) {
      const from = (seqNo % 30) * 100
      const deleted = seqNo % 5 === 0 ? { state: 'deleted' as const } : {}
      await score(seqNo % 4, flights(from, from + 100, { seqNo, ...deleted }))
      sent++
      await sleep(50)
    }
  })()
  const end = async () => {
    stop.abort()
    await flow
  }
  return { sent: () => sent, end }
}

test('a Redis whose memory is full is told as that, and has every score once it takes writes again', async () => {
  await score(0, flights(0, ROWS))
  const states: ServiceState[] = []
  const refused = { status: 'failing', lastError: expect.stringMatching(/^REDIS_REFUSED.*OOM/) }
  const refuses = async () => {
    await expectWhole()
    await admin.config('SET', 'maxmemory', '1')
    await score(1, flights(0, ROWS, { seqNo: 2, score: 1 }))
    await vi.waitFor(() => expect(states[0]!.snapshot()).toMatchObject(refused), DEADLINE)
    await untilTold('writing to the cache again')
    await admin.config('SET', 'maxmemory', '0')
    await expectWhole()
    await vi.waitFor(() => expect(states[0]!.snapshot().status).toBe('running'), DEADLINE)
  }
  await withScorers([['cache']], refuses, states)
})

test('a Redis that is full or away is told also while there is nothing to be written', async () => {
  await score(0, flights(0, 10))
  const states: ServiceState[] = []
  const failing = (error: RegExp) => ({
    status: 'failing',
    failing: [{ worker: 'refill', error: expect.stringMatching(error) }],
  })
  const idles = async () => {
    await expectWhole()
    const state = (expected: object) =>
      vi.waitFor(() => expect(states[0]!.snapshot()).toMatchObject(expected), DEADLINE)
    await admin.config('SET', 'maxmemory', '1')
    await state(failing(/^REDIS_REFUSED.*OOM/))
    await admin.config('SET', 'maxmemory', '0')
    await state({ status: 'running' })
    await server.kill()
    await state(failing(/^REDIS_UNREACHABLE/))
    await server.restart()
    await state({ status: 'running' })
    await expectWhole()
  }
  await withScorers([['cache']], idles, states)
})

async function untilTold(words: string): Promise<void> {
  await vi.waitFor(() => expect(world.complaints.join()).toContain(words), DEADLINE)
}

/** Anew: its cache is a cluster. */
async function openWorldOn(cluster: RedisCluster): Promise<void> {
  await world[Symbol.asyncDispose]()
  world = await World.open({
    FRESHET_REDIS_URL: cluster.url,
    FRESHET_REDIS_CLUSTER: 'true',
    FRESHET_SNAPSHOT_INTERVAL_SECONDS: '1',
  })
}

test('a cluster gets back what one of its masters lost', async () => {
  await using cluster = await RedisCluster.start()
  await openWorldOn(cluster)
  await score(0, flights(0, ROWS))
  await score(1, flights(0, 10, { seqNo: 2, state: 'deleted' }))
  await snapshotTaken()
  await withScorers([['cache']], async () => {
    await expectWhole()
    const { pipeline, s3 } = world.settings
    const env = { FRESHET_PIPELINE: pipeline, FRESHET_S3_PREFIX: s3.prefix, FRESHET_REDIS_URL: cluster.url }
    const checks = JSON.parse(
      (await freshet(['doctor', '--json'], { ...env, FRESHET_REDIS_CLUSTER: 'true' })).stdout,
    )
    expect(checks).toContainEqual({ name: 'Redis' })
    await cluster.masters[1]!.admin.flushall()
    await expectWhole()
    await cluster.masters[2]!.server.restart()
    await cluster.untilState('ok')
    await expectWhole()
  })
})

test('a replica that takes over without the last writes of its master gets them, and nothing else is brought', {
  timeout: 150_000,
}, async () => {
  await using cluster = await RedisCluster.start()
  await openWorldOn(cluster)
  await score(0, flights(0, ROWS))
  await score(1, [])
  await snapshotTaken()
  const [, master] = cluster.masters
  const replica = await cluster.addReplica(master!)
  const load = flowing()
  await withScorers([['cache'], ['cache']], async () => {
    const areTold = async () => {
      const names = await master!.admin.keys(`${world.settings.pipeline}:filled*`)
      const marks = await Promise.all(names.map((name) => master!.admin.get(name)))
      expect(marks.length).toBeGreaterThan(0)
      for (const mark of marks) expect(mark).toContain(' 0:')
    }
    await vi.waitFor(areTold, DEADLINE)
    await cluster.untilCaughtUp(replica, master!) // so that it knows the marks
    await cluster.cutOff(replica, master!)
    const sentBefore = load.sent()
    await vi.waitFor(() => expect(load.sent()).toBeGreaterThan(sentBefore + 20), DEADLINE)
    await master!.server.kill()
    await vi.waitFor(async () => expect(await replica.admin.role()).toContain('master'), DEADLINE)
    await load.end()
    await expectWhole()
  }).finally(load.end)
  expect(world.news.join('\n')).toContain('it had kept its data, and got what it may have lost')
})

test('freshet refill brings all scores back without a scorer, also when two run at once', async () => {
  await score(0, flights(0, ROWS))
  await score(1, flights(ROWS, ROWS + 10))
  await snapshotTaken()
  await score(2, flights(0, 10, { seqNo: 3, state: 'deleted' }))
  await admin.flushall()
  const { pipeline, redis, s3 } = world.settings
  const env = { FRESHET_PIPELINE: pipeline, FRESHET_REDIS_URL: redis.url, FRESHET_S3_PREFIX: s3.prefix }
  const outcomes = await Promise.all([freshet(['refill', '--json'], env), freshet(['refill'], env)])
  expect(outcomes.map(({ code }) => code)).toEqual([0, 0])
  expect(JSON.parse(outcomes[0]!.stdout)).toMatchObject({ rows: ROWS + 20, malformed: 0, gone: 0 })
  expect(outcomes[1]!.stdout).toContain(`Redis holds all scores: ${ROWS + 20} rows brought`)
  await expectWhole()
})

test('a refill brings no score that would have expired, but every delete', async () => {
  const old = Date.now() - 2_000 * world.settings.redis.ttlSeconds
  await score(0, [{ key: 'old' }, { key: 'gone', state: 'deleted' }], old)
  await score(1, [{ key: 'fresh' }])
  const names = ['old', 'gone', 'fresh'].map((key) => `${world.settings.pipeline}:score:${key}`)
  await withScorers([['snapshot']], () => untilInSnapshot(2))
  const { pipeline, redis, s3 } = world.settings
  const env = { FRESHET_PIPELINE: pipeline, FRESHET_REDIS_URL: redis.url, FRESHET_S3_PREFIX: s3.prefix }
  const ttl = { FRESHET_REDIS_TTL_SECONDS: `${redis.ttlSeconds}` }
  const { code, stdout } = await freshet(['refill', '--json'], { ...env, ...ttl })
  expect([code, JSON.parse(stdout).rows]).toEqual([0, 2])
  expect(await Promise.all(names.map((name) => admin.exists(name)))).toEqual([0, 1, 1])
})

/** Every key with its value and time to live, as a dump on disk would have it. */
async function dumpOf(redis: typeof admin): Promise<Map<string, Buffer>> {
  const names = await redis.keys('*')
  const values = await Promise.all(names.map((name) => redis.dumpBuffer(name)))
  return new Map(names.map((name, i) => [name, values[i]!]))
}

async function restore(redis: typeof admin, dump: ReadonlyMap<string, Buffer>): Promise<void> {
  await Promise.all([...dump].map(([name, value]) => redis.restore(name, 0, value, 'REPLACE')))
}
