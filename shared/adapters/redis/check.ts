import type { Settings } from '@freshet/config/schema.ts'
import { addressOf, assertFit, connect, createClient } from './connect.ts'

/**
 * Proves that Redis can be reached, lets us in, and orders strings as we need.
 * @throws REDIS_UNREACHABLE, REDIS_UNAUTHORIZED, REDIS_REFUSED, REDIS_COLLATION, CONFIG_INVALID
 */
export async function checkRedis(settings: Settings['redis']): Promise<void> {
  const address = addressOf(settings)
  const redis = createClient(settings, { connectTimeout: 2_000, socketTimeout: 2_000, commandTimeout: 2_000 })
  try {
    await connect(redis, { address, deadlineMs: 5_000 })
    await assertFit(redis, address)
  } finally {
    redis.disconnect()
  }
}
