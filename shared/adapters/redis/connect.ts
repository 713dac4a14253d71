import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { toRedisError } from './redis-error.ts'

/** One server, or a cluster of them. */
export type RedisClient = Redis | Cluster

export type ClientTimes = Pick<
  RedisOptions,
  | 'connectTimeout'
  | 'socketTimeout'
  | 'commandTimeout'
  | 'disconnectTimeout'
  | 'maxLoadingRetryTime'
  | 'retryStrategy'
>

/** A client that has not begun to connect. Nothing waits in it for a connection: a call without one fails at once. */
export function createClient(settings: Settings['redis'], times: ClientTimes): Redis {
  return new Redis(settings.url, {
    ...times,
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  })
}

/** Host and port, without the password. */
export function addressOf(settings: Settings['redis']): string {
  const { host } = new URL(settings.url)
  return `redis ${host}`
}

/**
 * Resolves when the server takes commands, at the latest after `deadlineMs`; on failure the client is closed.
 * @throws REDIS_UNREACHABLE, REDIS_UNAUTHORIZED, REDIS_REFUSED
 */
export async function connect(redis: Redis, options: { address: string; deadlineMs: number }): Promise<void> {
  let fault: unknown // `connect` itself only says that the connection was closed
  const remember = (error: unknown) => {
    fault = error
  }
  redis.on('error', remember)
  const timer = setTimeout(() => {
    fault ??= new FreshetError(
      'REDIS_UNREACHABLE',
      `${options.address}: no answer in ${options.deadlineMs} ms`,
    )
    redis.disconnect()
  }, options.deadlineMs)
  try {
    await redis.connect()
  } catch (error) {
    redis.disconnect()
    throw toRedisError(fault ?? error, options.address)
  } finally {
    clearTimeout(timer)
    redis.off('error', remember)
  }
}

/**
 * For before a call: without a connection ioredis would only name an option of its own.
 * @throws REDIS_UNREACHABLE
 */
export function assertConnected(redis: RedisClient): void {
  if (redis.status === 'ready' && (redis instanceof Cluster || redis.stream.writable)) return
  const where = redis instanceof Cluster ? 'in the cluster' : `at ${redis.options.host}:${redis.options.port}`
  throw new FreshetError('REDIS_UNREACHABLE', `there is no connection to Redis ${where}`)
}

/**
 * The rank guard compares ranks inside Redis, and Lua's `<` follows the locale of the server.
 * @throws REDIS_COLLATION, and what a call throws
 */
export async function assertCollation(redis: Redis, address: string): Promise<void> {
  const outOfOrder = await redis.eval("return 'a' < 'B'", 0).catch((error: unknown) => {
    throw toRedisError(error, address)
  })
  if (outOfOrder !== null)
    throw new FreshetError('REDIS_COLLATION', `${address} does not compare strings byte by byte`)
}
