import { FreshetError } from '@freshet/errors/errors.ts'
import { Cluster } from 'ioredis'
import { mastersOf, type RedisClient } from './connect.ts'
import { toRedisError } from './redis-error.ts'

/**
 * What the servers must be like: the rank guard compares ranks inside Redis, and Lua's `<` follows the locale of the
 * server; a node of a cluster refuses the keys of others.
 * @throws REDIS_COLLATION, CONFIG_INVALID, and what a call throws
 */
export async function assertFit(redis: RedisClient, address: string): Promise<void> {
  const answers = await Promise.all(
    mastersOf(redis).map((node) => Promise.all([node.eval("return 'a' < 'B'", 0), node.info('cluster')])),
  ).catch((error: unknown) => {
    throw toRedisError(error, address)
  })
  for (const [outOfOrder, info] of answers) {
    if (outOfOrder !== null)
      throw new FreshetError('REDIS_COLLATION', `${address} does not compare strings byte by byte`)
    if (!(redis instanceof Cluster) && /^cluster_enabled:1/m.test(info))
      throw new FreshetError(
        'CONFIG_INVALID',
        `redis.cluster: ${address} is a node of a cluster, so this must be true`,
      )
  }
}

/** What Redis drops when its memory is full, as `allkeys-lru`; undefined when it refuses writes instead, or has no bound. */
export async function evictionOf(redis: RedisClient, address: string): Promise<string | undefined> {
  try {
    for (const node of mastersOf(redis)) {
      const info = await node.info('memory')
      const policy = /^maxmemory_policy:([\w-]+)/m.exec(info)?.[1]
      if (!/^maxmemory:0\b/m.test(info) && policy !== 'noeviction') return policy
    }
    return undefined
  } catch (error) {
    throw toRedisError(error, address)
  }
}
