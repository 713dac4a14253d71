import type { Settings } from '@freshet/config/schema.ts'
import { addressOf, connect, createClient, type RedisClient } from './connect.ts'

const TIMES = { connectTimeout: 2_000, socketTimeout: 2_000, commandTimeout: 2_000 }
const CONNECT_DEADLINE_MS = 5_000

/**
 * A few questions over a connection of their own, each answered within 2 s or not at all.
 * @throws REDIS_UNREACHABLE, REDIS_UNAUTHORIZED, REDIS_REFUSED, and what `ask` throws
 */
export async function askOnce<T>(
  settings: Settings['redis'],
  ask: (redis: RedisClient, address: string) => Promise<T>,
): Promise<T> {
  const address = addressOf(settings)
  const redis = createClient(settings, TIMES)
  try {
    await connect(redis, { address, deadlineMs: CONNECT_DEADLINE_MS })
    return await ask(redis, address)
  } finally {
    redis.disconnect()
  }
}
