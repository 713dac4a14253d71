import { golden } from '@freshet/records/golden/golden.kit.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test } from 'vitest'
import { RedisScoreStore } from './redis-score-store.ts'
import { RedisServer } from './redis-server.kit.ts'

test('a mark of version 1 keeps its text while it fills, once it is filled, and as it advances', async () => {
  await using server = await RedisServer.start()
  const settings = { url: server.url, cluster: false, ttlSeconds: 0, tombstoneTtlSeconds: 3_600 }
  await using store = await RedisScoreStore.open(settings, { pipeline: 'air', log: quietLog })
  const redis = server.newClient()
  const marks: (string | null)[] = []
  const note = async () => void marks.push(await redis.get('air:filled'))

  const filling = await store.mark.begin()
  await note()
  await store.mark.confirm(filling)
  await note()
  const positions = new Map([
    [0, 120],
    [1, 95],
  ])
  await store.mark.advance(async () => positions)
  await note()

  const frozen = golden('fill-mark.v1.txt').toString()
  const [, id, servers] = /^filled (\S+) (\S+)$/m.exec(frozen)!
  expect(frozen.replaceAll(id!, filling.ids[0]!).replaceAll(servers!, filling.servers).split('\n')).toEqual(
    marks,
  )
  expect((await store.mark.begin()).heldTo).toEqual(positions)
})
