import { expect, test } from 'vitest'
import { assertFit } from './assert-fit.ts'
import type { RedisClient } from './connect.ts'

/** What a server answers whose locale orders letters without regard to case: a real one needs a machine that has such a locale. */
function serverWith({ aBeforeB }: { aBeforeB: boolean }): RedisClient {
  const node = { eval: async () => (aBeforeB ? 1 : null), info: async () => 'cluster_enabled:0\r\n' }
  return node as unknown as RedisClient
}

test('a Redis that orders strings by its locale is refused, since it would compare ranks by it', async () => {
  await assertFit(serverWith({ aBeforeB: false }), 'redis box:6379')
  await expect(assertFit(serverWith({ aBeforeB: true }), 'redis box:6379')).rejects.toMatchObject({
    code: 'REDIS_COLLATION',
    message: expect.stringContaining('redis box:6379'),
    hint: expect.stringContaining('LC_ALL=C'),
  })
})
