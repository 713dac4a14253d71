/** infra/access/redis.acl: on a Redis that keeps to it, each service can do its work with its own user, and no more. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tryRedisAccess } from '@freshet/adapters/redis/access.ts'
import { checkRedis } from '@freshet/adapters/redis/check.ts'
import { RedisPulse } from '@freshet/adapters/redis/redis-pulse.ts'
import { RedisScoreReader } from '@freshet/adapters/redis/redis-score-reader.ts'
import { RedisScoreStore } from '@freshet/adapters/redis/redis-score-store.ts'
import { freePort, RedisServer } from '@freshet/adapters/redis/redis-server.kit.ts'
import { redisRights } from '@freshet/cli/doctor/excess-rights.ts'
import { rowsOf } from '@freshet/ports/score-store.contract.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'

const FILE = join(import.meta.dirname, '../../infra/access/redis.acl')
const USERS = ['scorer', 'gateway', 'watchdog'] as const
type User = (typeof USERS)[number]

const folder = mkdtempSync(join(tmpdir(), 'freshet-acl-'))
let server: RedisServer

beforeAll(async () => {
  const passwords = new Map(USERS.map((user) => [`${user.toUpperCase()}_PASSWORD_SHA256`, hashOf(user)]))
  const rules = readFileSync(FILE, 'utf8').replaceAll(
    /\$\{(\w+)\}/g,
    (_, name: string) => passwords.get(name)!,
  )
  writeFileSync(join(folder, 'users.acl'), rules)
  server = await RedisServer.start(['--aclfile', join(folder, 'users.acl')])
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const passwordOf = (user: string) => `${user}-password`
const hashOf = (user: string) => createHash('sha256').update(passwordOf(user)).digest('hex')

function settingsOf(user: User) {
  const url = `redis://freshet-${user}:${passwordOf(user)}@127.0.0.1:${server.port}`
  return { url, cluster: false, ttlSeconds: 600, tombstoneTtlSeconds: 3_600 }
}
const options = { pipeline: 'freshet', log: quietLog }

async function withClient<T>(user: User, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(settingsOf(user).url, { maxRetriesPerRequest: 1 })
  try {
    return await work(redis)
  } finally {
    redis.disconnect()
  }
}

test('a scorer writes, fills and refills, and a gateway reads what it wrote', async () => {
  await checkRedis(settingsOf('scorer'))
  await using store = await RedisScoreStore.open(settingsOf('scorer'), options)
  await store.merge(rowsOf([{ key: 'a', score: 1 }]))
  expect((await store.get('a'))?.outputs).toEqual({ delay: 1 })
  expect(await store.mark.claim('me')).toBe('me')
  expect(await store.mark.claim('me')).toBe('me')
  const filling = await store.mark.begin()
  await store.mark.confirm(filling)
  await store.mark.advance(async () => new Map([[0, 7]]))
  expect(await store.mark.holds(filling)).toBe(true)
  expect((await store.mark.begin()).heldTo).toEqual(new Map([[0, 7]]))
  await store.mark.release('me')

  const faults: unknown[] = []
  await using reader = new RedisScoreReader(settingsOf('gateway'), {
    ...options,
    onLook: (fault) => void faults.push(fault?.code),
  })
  await expect.poll(() => reader.ready).toBe(true)
  expect(await reader.get('a')).toEqual(await store.get('a'))
  await expect.poll(() => reader.get('b').catch(({ code }) => code)).toBeUndefined() // nothing, and all is there
  await expect.poll(() => faults.at(-1)).toBeUndefined()
  expect(faults.length === 0 || faults.at(-1) === undefined).toBe(true)
})

test('a gateway writes nothing, and a watchdog sees that Redis answers, and no score', async () => {
  await using store = await RedisScoreStore.open(settingsOf('scorer'), options)
  await store.merge(rowsOf([{ key: 'kept', score: 1 }]))
  await withClient('gateway', async (redis) => {
    await expect(redis.set('freshet:score:kept', '')).rejects.toThrow(/NOPERM/)
    await expect(redis.del('freshet:score:kept')).rejects.toThrow(/NOPERM/)
    await expect(redis.eval('return 1', 0)).rejects.toThrow(/NOPERM/)
  })
  expect((await store.get('kept'))?.outputs).toEqual({ delay: 1 })
  using pulse = new RedisPulse(settingsOf('watchdog'))
  await pulse.feel()
  await withClient('watchdog', (redis) =>
    expect(redis.get('freshet:score:kept'))
      .rejects.toThrow(/NOPERM/)
      .then(() => undefined),
  )
})

test.each(USERS)('%s administers nothing, lists nothing and sees no key of others', async (user) => {
  await withClient(user, async (redis) => {
    const refused = [
      () => redis.config('GET', '*'),
      () => redis.acl('LIST'),
      () => redis.flushall(),
      () => redis.keys('*'),
      () => redis.scan(0),
      () => redis.get('other:score:a'),
      () => redis.get('freshet'),
      () => redis.subscribe('any'),
      () => redis.script('FLUSH'),
    ]
    for (const call of refused) await expect(call(), String(call)).rejects.toThrow(/NOPERM/)
  })
})

test('without a user, or with a wrong password, nothing is let in', async () => {
  const anonymous = { ...settingsOf('scorer'), url: `redis://127.0.0.1:${server.port}` }
  await expect(checkRedis(anonymous)).rejects.toMatchObject({ code: 'REDIS_UNAUTHORIZED' })
  const wrong = { ...anonymous, url: `redis://freshet-scorer:no@127.0.0.1:${server.port}` }
  await expect(checkRedis(wrong)).rejects.toMatchObject({ code: 'REDIS_UNAUTHORIZED' })
})

test('doctor tells what a user lacks and what it has too much, and finds nothing to say of a scorer', async () => {
  expect(await tryRedisAccess(settingsOf('scorer'), 'freshet')).toEqual({
    missingToRead: [],
    missingToWrite: [],
    beyond: [],
  })
  const gateway = await tryRedisAccess(settingsOf('gateway'), 'freshet')
  expect(gateway.missingToRead).toEqual([])
  expect(gateway.missingToWrite).toEqual(expect.arrayContaining(['SET', 'DEL', 'PEXPIRE', 'EVAL', 'EVALSHA']))
  expect((await tryRedisAccess(settingsOf('watchdog'), 'freshet')).missingToRead).toEqual(
    expect.arrayContaining(['GET', 'MGET']),
  )
  await using open = await RedisServer.start()
  const [told] = await redisRights({ ...settingsOf('scorer'), url: open.url }, 'freshet')
  expect(told).toMatch(/CONFIG.*ACL.*keys of others.*infra\/access\/redis\.acl/)
})

test('the file as it lies there is taken by no server: a password must be put into it', async () => {
  const run = spawnSync('redis-server', ['--port', `${await freePort()}`, '--save', '', '--aclfile', FILE], {
    encoding: 'utf8',
    timeout: 30_000,
  })
  expect(run.status).toBe(1)
  expect(run.stdout).toMatch(/The password hash must be exactly 64 characters/)
  expect(run.stdout).not.toMatch(/Error in applying operation/)
})
