import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadSettings } from '@freshet/config/load.ts'
import { isFreshetError } from '@freshet/errors/errors.ts'
import { rowsOf, scoreStoreContract } from '@freshet/ports/score-store.contract.ts'
import { encodeRank, newer } from '@freshet/records/revision.ts'
import { pageOf, plainMerge, scoreBatches } from '@freshet/records/score-batches.kit.ts'
import { storedScoreOf } from '@freshet/records/stored-score.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'
import { checkRedis } from './check.ts'
import { RedisScoreReader } from './redis-score-reader.ts'
import { RedisScoreStore } from './redis-score-store.ts'
import { RedisServer } from './redis-server.kit.ts'

const shared = loadSettings({ env: process.env }).redis
const options = { pipeline: `test-${randomUUID()}`, log: quietLog }

scoreStoreContract('Redis', () => RedisScoreStore.open({ ...shared, ttlSeconds: 600 }, options))

function settingsOf(server: RedisServer) {
  return { url: server.url, cluster: false, ttlSeconds: 0, tombstoneTtlSeconds: 3_600 }
}

test('pages of several models, in whatever order they come, leave of each key what a plain merge keeps', async () => {
  await using server = await RedisServer.start()
  await using store = await RedisScoreStore.open(settingsOf(server), options)
  const admin = server.newClient()
  await fc.assert(
    fc.asyncProperty(scoreBatches, fc.nat(6), async (batches, cut) => {
      await admin.flushall()
      await store.merge(pageOf(batches.slice(0, cut)))
      await store.merge(pageOf(batches.slice(cut)))
      const kept = [...plainMerge(batches).values()]
      const asJsonHasIt = kept.map(({ outputs, ...score }) => ({
        ...score,
        outputs: JSON.parse(JSON.stringify(outputs)), // which has no negative zero
      }))
      expect(await Promise.all(kept.map(({ key }) => store.get(key)))).toEqual(asJsonHasIt)
      expect(await admin.dbsize()).toBe(kept.length)
    }),
  )
  admin.disconnect()
})

test('scores stay for ever unless the settings say otherwise; deletes are forgotten in time', async () => {
  await using server = await RedisServer.start()
  await using store = await RedisScoreStore.open(settingsOf(server), options)
  const redis = new Redis(server.url)
  await store.merge(
    rowsOf([
      { key: 'a', score: 1 },
      { key: 'b', state: 'deleted' },
    ]),
  )
  expect(await redis.ttl(`${options.pipeline}:score:a`)).toBe(-1)
  expect(await redis.ttl(`${options.pipeline}:score:b`)).toBeGreaterThan(3_500)
  redis.disconnect()
})

test('a Redis that lost its scripts, or was restarted empty, is written to as before', async () => {
  await using server = await RedisServer.start()
  await using store = await RedisScoreStore.open(settingsOf(server), options)
  await store.merge(rowsOf([{ key: 'a', score: 1 }]))
  const redis = new Redis(server.url)
  await redis.script('FLUSH')
  redis.disconnect()
  await store.merge(rowsOf([{ key: 'b', score: 2 }]))
  await server.restart()
  await store.merge(rowsOf([{ key: 'c', score: 3 }]))
  expect((await store.get('c'))?.outputs).toEqual({ delay: 3 })
})

test('a write that meets a frozen Redis is stored once it moves again', async () => {
  await using server = await RedisServer.start()
  const thawAtFirstFailure = { ...quietLog, warn: () => server.thaw() }
  await using store = await RedisScoreStore.open(settingsOf(server), { ...options, log: thawAtFirstFailure })
  server.freeze()
  await store.merge(rowsOf([{ key: 'a', score: 1 }]))
  expect((await store.get('a'))?.outputs).toEqual({ delay: 1 })
})

test('a write stops trying when it is told to', async () => {
  await using server = await RedisServer.start()
  await using store = await RedisScoreStore.open(settingsOf(server), options)
  await server.kill()
  const error = await store.merge(rowsOf([{ key: 'a', score: 1 }]), AbortSignal.timeout(100)).catch((e) => e)
  expect(isFreshetError(error, 'REDIS_UNREACHABLE')).toBe(true)
})

test('rows that cannot be written are not taken for a Redis that is away, and not tried again', async () => {
  await using server = await RedisServer.start()
  await using store = await RedisScoreStore.open(settingsOf(server), options)
  const ofNoModel = { ...rowsOf([{ key: 'a', score: 1 }]), modelGenerations: Uint32Array.of(9) }
  const signal = AbortSignal.timeout(5_000)
  await expect(store.merge(ofNoModel, signal)).rejects.toThrow(TypeError)
  expect(signal.aborted).toBe(false)
})

test('tries while Redis is away are told of once, and say that there is no connection', async () => {
  await using server = await RedisServer.start()
  const lines: string[] = []
  const log = { ...quietLog, warn: (line: string) => void lines.push(line) }
  await using store = await RedisScoreStore.open(settingsOf(server), { ...options, log })
  await server.kill()
  const writing = store.merge(rowsOf([{ key: 'a', score: 1 }]), AbortSignal.timeout(1_000))
  await expect(writing).rejects.toThrow(`there is no connection to Redis at 127.0.0.1:${server.port}`)
  expect(lines).toEqual(['writing to the cache again'])
})

test('a full Redis refuses writes by that name, and takes them again later', async () => {
  await using server = await RedisServer.start()
  await using store = await RedisScoreStore.open(settingsOf(server), options)
  const redis = new Redis(server.url)
  await redis.config('SET', 'maxmemory', '1')
  const refused = await store
    .merge(rowsOf([{ key: 'a', score: 1 }]), AbortSignal.timeout(100))
    .catch((e) => e)
  expect(isFreshetError(refused, 'REDIS_REFUSED')).toBe(true)
  await redis.config('SET', 'maxmemory', '0')
  redis.disconnect()
  await store.merge(rowsOf([{ key: 'a', score: 1 }]))
  expect((await store.get('a'))?.outputs).toEqual({ delay: 1 })
})

test('a Redis whose disk is full refuses writes by that name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'freshet-redis-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await using server = await RedisServer.start(['--dir', folder])
  await using store = await RedisScoreStore.open(settingsOf(server), options)
  const redis = server.newClient()
  await mkdir(join(folder, 'dump.rdb')) // as a disk on which no file can be put
  await redis.config('SET', 'save', '3600 1')
  await redis.bgsave()
  let seqNo = 0
  const write = () => store.merge(rowsOf([{ key: 'a', score: 1, seqNo: ++seqNo }]), AbortSignal.timeout(100))
  const refused = async () => String(await write().catch((error: unknown) => error))
  await expect.poll(refused, { timeout: 10_000 }).toMatch(/MISCONF/)
  await redis.config('SET', 'save', '')
  redis.disconnect()
  await write()
  expect((await store.get('a'))?.rank.revision.seqNo).toBe(seqNo)
})

test('a Redis that drops keys when it is full is warned of at the start', async () => {
  await using server = await RedisServer.start(['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'])
  const lines: string[] = []
  const log = { ...quietLog, warn: (line: string) => void lines.push(line) }
  await using _ = await RedisScoreStore.open(settingsOf(server), { ...options, log })
  expect(lines).toEqual([expect.stringContaining('maxmemory-policy allkeys-lru')])
})

test('no password and a wrong password are REDIS_UNAUTHORIZED, the right one is let in', async () => {
  await using server = await RedisServer.start(['--requirepass', 'p@ss/word'])
  const url = (password: string) => `redis://:${encodeURIComponent(password)}@127.0.0.1:${server.port}`
  const settings = settingsOf(server)
  for (const wrong of [server.url, url('wrong')])
    await expect(checkRedis({ ...settings, url: wrong })).rejects.toMatchObject({
      code: 'REDIS_UNAUTHORIZED',
    })
  await checkRedis({ ...settings, url: url('p@ss/word') })
  await using reader = new RedisScoreReader({ ...settings, url: url('wrong') }, options)
  await expect.poll(() => reader.fault?.code, { timeout: 10_000 }).toBe('REDIS_UNAUTHORIZED')
  expect(reader.ready).toBe(false)
})

test('a Redis that is not there, or stands still, is REDIS_UNREACHABLE', async () => {
  await using server = await RedisServer.start()
  server.freeze()
  await expect(checkRedis(settingsOf(server))).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })
  await server.kill()
  await expect(checkRedis(settingsOf(server))).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })
})

test('a reader that is given up while it connects complains of nothing', async () => {
  await using server = await RedisServer.start()
  server.freeze()
  const told: unknown[] = []
  const log = { ...quietLog, error: (...line: unknown[]) => void told.push(line) }
  const given = { ...options, log, onLook: (fault: unknown) => void told.push(fault) }
  for (const url of [server.url, 'redis://127.0.0.1:1']) {
    const reader = new RedisScoreReader({ ...settingsOf(server), url }, given)
    await reader[Symbol.asyncDispose]()
  }
  await using another = new RedisScoreReader(settingsOf(server), options)
  await expect.poll(() => another.fault, { timeout: 10_000 }).toBeDefined() // long after the others would have told
  expect(told).toEqual([])
})

test('the reader finds what the writer stored, and is back after Redis was killed', async () => {
  await using server = await RedisServer.start()
  await using store = await RedisScoreStore.open(settingsOf(server), options)
  await using reader = new RedisScoreReader(settingsOf(server), options)
  await expect.poll(() => reader.ready, { timeout: 10_000 }).toBe(true)
  await store.merge(rowsOf([{ key: 'a', score: 1 }]))
  expect(await reader.get('a')).toEqual(await store.get('a'))
  await expect(reader.get('b')).rejects.toMatchObject({ code: 'REDIS_FILLING' })
  await store.mark.confirm(await store.mark.begin())
  await expect.poll(() => reader.get('b'), { timeout: 10_000 }).toBeUndefined()
  await server.kill()
  await expect.poll(() => reader.ready, { timeout: 10_000 }).toBe(false)
  await expect(reader.get('a')).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })
  await server.restart()
  await expect.poll(() => reader.ready, { timeout: 10_000 }).toBe(true)
  await expect(reader.get('a')).rejects.toMatchObject({ code: 'REDIS_FILLING' })
})

describe('a Redis that kept its data over a restart', () => {
  /** Such a server, with a store. It remembers what was there when it was last told to save. */
  async function saving() {
    const folder = await mkdtemp(join(tmpdir(), 'freshet-redis-'))
    const server = await RedisServer.start(['--dir', folder])
    const store = await RedisScoreStore.open(settingsOf(server), options)
    const redis = server.newClient()
    onTestFinished(async () => {
      redis.disconnect()
      await store[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    })
    return { server, store, redis, restart: () => server.restart() }
  }

  const at = (offset: number) => async () => new Map([[0, offset]])

  test('does not hold all scores, and says up to where it has them', async () => {
    const { store, redis, restart } = await saving()
    await store.mark.confirm(await store.mark.begin())
    await store.mark.advance(at(5))
    await redis.save()
    await store.mark.advance(at(9))
    expect((await store.mark.begin()).heldTo).toEqual(new Map([[0, 9]]))
    await restart()
    await expect.poll(() => store.mark.isFilled().catch(() => null), { timeout: 10_000 }).toBe(false)
    const filling = await store.mark.begin()
    expect(filling.heldTo).toEqual(new Map([[0, 5]]))
    await store.mark.confirm(filling)
    expect(await store.mark.isFilled()).toBe(true)
  })

  test('is not told that it is as far as the one before, also when it comes up in between', async () => {
    const { store, redis, restart } = await saving()
    await store.mark.confirm(await store.mark.begin())
    await store.mark.advance(at(5))
    await redis.save()
    await store.mark.advance(async () => {
      await restart()
      await redis.ping()
      await expect.poll(() => store.get('a'), { timeout: 10_000 }).toBeUndefined()
      return new Map([[0, 9]])
    })
    await store.mark.advance(at(9))
    expect((await store.mark.begin()).heldTo).toEqual(new Map([[0, 5]]))
  })

  test('that was saved while it was refilled, or was never told how far it is, is refilled as a whole', async () => {
    const { store, redis, restart } = await saving()
    const connected = () => expect.poll(() => store.get('a'), { timeout: 10_000 }).toBeUndefined()
    const filling = await store.mark.begin()
    await store.mark.advance(at(5))
    await redis.save()
    await store.mark.confirm(filling)
    await store.mark.advance(at(5))
    await restart()
    await connected()
    const again = await store.mark.begin()
    expect(again.heldTo).toBeNull()
    await store.mark.confirm(again)
    await redis.save()
    await restart()
    await connected()
    expect((await store.mark.begin()).heldTo).toBeNull()
  })
})

test('values of version 1 that lie in Redis are compared by their rank, as those of version 2 are', async () => {
  await using server = await RedisServer.start()
  await using store = await RedisScoreStore.open(settingsOf(server), options)
  const redis = new Redis(server.url)
  const part = (max: number) => fc.oneof(fc.nat(3), fc.nat(300), fc.nat(max))
  const rank = fc.record({ epoch: part(2 ** 47), seqNo: part(2 ** 53 - 1), generation: part(9) })
  let trials = 0
  await fc.assert(
    fc.asyncProperty(rank, rank, async (there, incoming) => {
      const key = `v1/${trials++}`
      const old = { ...storedScoreOf(rowsOf([{ key, ...there, score: 1 }]), 0) }
      const { outputs, asOfMs: as_of, scoredAtMs: scored_at, model } = old
      const body = { v: 1, state: 'scored', outputs, as_of, scored_at, model }
      await redis.set(`${options.pipeline}:score:${key}`, encodeRank(old.rank) + JSON.stringify(body))
      expect(await store.get(key)).toEqual(old)
      const rows = rowsOf([{ key, ...incoming, score: 2 }])
      await store.merge(rows)
      expect(await store.get(key)).toEqual(newer(old, storedScoreOf(rows, 0)))
    }),
  )
  redis.disconnect()
})

test('what is no stored score at all does not keep the others of its call back', async () => {
  await using server = await RedisServer.start()
  await using store = await RedisScoreStore.open(settingsOf(server), options)
  const redis = server.newClient()
  const strangers = ['', '2', 'x', '{}']
  await Promise.all(strangers.map((text, i) => redis.set(`${options.pipeline}:score:s${i}`, text)))
  await redis.hset(`${options.pipeline}:score:hash`, 'a', 1)
  redis.disconnect()
  const keys = ['hash', 'a', ...strangers.map((_, i) => `s${i}`)]
  await store.merge(rowsOf(keys.map((key) => ({ key, score: 1 }))))
  for (const key of ['hash', 'a']) expect((await store.get(key))?.outputs).toEqual({ delay: 1 })
})

test('a key that holds something else than text is named, with what to do', async () => {
  await using server = await RedisServer.start()
  await using store = await RedisScoreStore.open(settingsOf(server), options)
  const redis = server.newClient()
  const [score, filled] = ['score:list', 'filled'].map((name) => `${options.pipeline}:${name}`) as [
    string,
    string,
  ]
  await Promise.all([score, filled].map((key) => redis.lpush(key, 'x')))
  const named = (key: string) => ({
    code: 'REDIS_WRONG_TYPE',
    message: expect.stringContaining(`${key} holds`),
    hint: expect.stringContaining('DEL'),
  })
  await expect(store.get('list')).rejects.toMatchObject(named(score))
  await using reader = new RedisScoreReader(settingsOf(server), options)
  await expect.poll(() => reader.ready, { timeout: 10_000 }).toBe(true)
  await expect(reader.get('list')).rejects.toMatchObject(named(score))
  await expect(store.mark.begin()).rejects.toMatchObject(named(filled))
  await expect(store.mark.confirm({ ids: ['1'], servers: '1', heldTo: null })).rejects.toMatchObject(
    named(filled),
  )
  await redis.del(filled)
  expect((await store.mark.begin()).ids).toHaveLength(1)
  redis.disconnect()
})

test('a score that a newer build wrote is neither overwritten nor taken for older', async () => {
  await using server = await RedisServer.start()
  await using store = await RedisScoreStore.open(settingsOf(server), options)
  const redis = server.newClient()
  await redis.set(`${options.pipeline}:score:a`, '3 who knows')
  await expect(store.merge(rowsOf([{ key: 'a', score: 1 }]))).rejects.toMatchObject({
    code: 'RECORD_VERSION',
  })
  expect(await redis.get(`${options.pipeline}:score:a`)).toBe('3 who knows')
  redis.disconnect()
})

test('who refills is told to the others, until it is done or says no more', async () => {
  await using server = await RedisServer.start()
  await using store = await RedisScoreStore.open(settingsOf(server), options)
  const { mark } = store
  expect(await mark.claim('a')).toBe('a')
  expect([await mark.claim('b'), await mark.claim('a')]).toEqual(['a', 'a'])
  await mark.release('b')
  expect(await mark.claim('b')).toBe('a')
  await mark.release('a')
  expect(await mark.claim('b')).toBe('b')
  const redis = server.newClient()
  expect(await redis.pttl(`${options.pipeline}:refiller`)).toBeLessThanOrEqual(15_000)
  redis.disconnect()
})
