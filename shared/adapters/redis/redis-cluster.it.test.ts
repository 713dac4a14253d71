/** Three masters of a real Redis Cluster: what holds for one server holds for them. */
import { randomUUID } from 'node:crypto'
import { type Row, rowsOf, scoreStoreContract } from '@freshet/ports/score-store.contract.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkRedis } from './check.ts'
import { RedisCluster } from './redis-cluster.kit.ts'
import { redisKey } from './redis-key.ts'
import { RedisScoreReader } from './redis-score-reader.ts'
import { RedisScoreStore } from './redis-score-store.ts'

let cluster: RedisCluster
beforeAll(async () => {
  cluster = await RedisCluster.start()
})
afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
})

const options = { pipeline: `test-${randomUUID()}`, log: quietLog }
const settings = () => ({ url: cluster.url, cluster: true, ttlSeconds: 0, tombstoneTtlSeconds: 3_600 })
const open = () => RedisScoreStore.open(settings(), options)

scoreStoreContract('a Redis Cluster', open)

function flights(count: number, row: Partial<Row> = {}): Row[] {
  return Array.from({ length: count }, (_, i) => ({ key: `flights/${i}`, score: i, ...row }))
}

test('a cluster passes the check, and without the setting is refused by its name', async () => {
  await checkRedis(settings())
  const asOne = { ...settings(), cluster: false }
  await expect(checkRedis(asOne)).rejects.toThrow(/redis.cluster: .* is a node of a cluster/)
  await expect(RedisScoreStore.open(asOne, options)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

test('a batch lies on all masters, and the reader finds every key', async () => {
  await using store = await open()
  await using reader = new RedisScoreReader(settings(), options)
  await store.merge(rowsOf(flights(1_000)))
  for (const { admin } of cluster.masters) expect(await admin.dbsize()).toBeGreaterThan(200)
  await expect.poll(() => reader.ready, { timeout: 10_000 }).toBe(true)
  const found = await Promise.all(flights(1_000).map(({ key }) => reader.get(key)))
  expect(found.map((score) => score?.outputs.delay)).toEqual(flights(1_000).map(({ score }) => score))
})

test('a slot that moves while it is written to takes its scores along, and the writes follow it', async () => {
  await using store = await open()
  await using reader = new RedisScoreReader(settings(), options)
  const [row] = flights(1)
  const key = redisKey(options.pipeline, row!.key, true)
  const target = cluster.masters.find((master) => master !== cluster.masterOf(key))!
  let isMoved = false
  let seqNo = 10
  const writing = (async () => {
    for (let after = 0; after < 3; after += isMoved ? 1 : 0)
      await store.merge(rowsOf([{ ...row!, seqNo: ++seqNo, score: seqNo }, ...flights(50, { seqNo })]))
  })()
  await cluster.moveSlotOf(key, target)
  isMoved = true
  await writing
  expect((await store.get(row!.key))?.rank.revision.seqNo).toBe(seqNo)
  await expect.poll(() => reader.ready, { timeout: 10_000 }).toBe(true)
  expect((await reader.get(row!.key))?.rank.revision.seqNo).toBe(seqNo)
  expect(await target.admin.exists(key)).toBe(1)
})

test('one master that was flushed is enough for the cluster not to hold all scores', async () => {
  await using store = await open()
  await store.mark.confirm(await store.mark.begin())
  for (const { admin } of cluster.masters) {
    expect(await store.mark.isFilled()).toBe(true)
    await admin.flushall()
    expect(await store.mark.isFilled()).toBe(false)
    const filling = await store.mark.begin()
    await admin.flushall()
    expect(await store.mark.holds(filling)).toBe(false)
    await expect(store.mark.confirm(filling)).rejects.toMatchObject({ code: 'REDIS_LOST_DATA' })
    await store.mark.confirm(await store.mark.begin())
  }
})

test('a master that dies is told by name, and once it is back all is written and nothing is taken for whole', async () => {
  await using store = await open()
  await using reader = new RedisScoreReader(settings(), options)
  await store.mark.confirm(await store.mark.begin())
  const [, dead, alive] = cluster.masters
  await dead!.server.kill()
  await cluster.untilState('fail', [alive!])
  const rows = rowsOf(flights(100, { seqNo: 1_000_000 }))
  await expect(store.merge(rows, AbortSignal.timeout(500))).rejects.toMatchObject({
    code: 'REDIS_UNREACHABLE',
  })
  await expect(store.mark.isFilled()).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })
  await expect(checkRedis(settings())).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })
  const lost = flights(100).find(
    ({ key }) => cluster.masterOf(redisKey(options.pipeline, key, true)) === dead,
  )!
  await expect(reader.get(lost.key)).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })

  await dead!.server.restart()
  await cluster.untilState('ok')
  await store.merge(rows)
  expect((await store.get(lost.key))?.rank.revision.seqNo).toBe(1_000_000)
  expect(await store.mark.isFilled()).toBe(false)
  await expect.poll(() => reader.get(lost.key).catch(() => undefined), { timeout: 10_000 }).toBeDefined()
})
