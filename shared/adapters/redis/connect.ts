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
export function createClient(settings: Settings['redis'], times: ClientTimes): RedisClient {
  return settings.cluster
    ? createCluster(settings, times)
    : new Redis(settings.url, { ...times, ...IMPATIENT })
}

const IMPATIENT = {
  lazyConnect: true,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
} as const

/**
 * Every call finds its own way: one that is answered MOVED or ASK is sent where it belongs, and the map of slots is read
 * again. A pipeline would have to be sent again as a whole, and ioredis gives one up whose calls were answered differently.
 */
function createCluster(settings: Settings['redis'], { retryStrategy, ...times }: ClientTimes): Cluster {
  const { hostname, port, username, password, protocol } = new URL(settings.url)
  return new Cluster([{ host: hostname, port: Number(port || 6379) }], {
    lazyConnect: true,
    enableOfflineQueue: false,
    slotsRefreshTimeout: times.connectTimeout,
    clusterRetryStrategy: retryStrategy,
    maxRedirections: 4, // one for a slot that moved, the others for a node that is gone
    retryDelayOnClusterDown: 0,
    redisOptions: {
      ...times,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      ...(username !== '' && { username: decodeURIComponent(username) }),
      ...(password !== '' && { password: decodeURIComponent(password) }),
      ...(protocol === 'rediss:' && { tls: {} }),
    },
  })
}

/** Those that hold the data. */
export function mastersOf(redis: RedisClient): readonly Redis[] {
  return redis instanceof Cluster ? redis.nodes('master') : [redis]
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
export async function connect(
  redis: RedisClient,
  options: { address: string; deadlineMs: number },
): Promise<void> {
  let fault: unknown // `connect` itself only says that the connection was closed
  const remember = (error: unknown) => {
    fault = error
  }
  for (const event of FAULTS) redis.on(event, remember)
  const { promise: late, reject } = Promise.withResolvers<never>()
  const text = `${options.address}: not ready in ${options.deadlineMs} ms`
  const timer = setTimeout(() => reject(new FreshetError('REDIS_UNREACHABLE', text)), options.deadlineMs)
  try {
    await Promise.race([redis.connect(), late]) // of a cluster that is down, `connect` never ends
  } catch (error) {
    redis.disconnect()
    throw toRedisError(fault ?? error, options.address)
  } finally {
    clearTimeout(timer)
    for (const event of FAULTS) redis.off(event, remember)
  }
}

/** A cluster tells what is wrong with one of its nodes by another name. */
const FAULTS = ['error', 'node error'] as const

/**
 * For before a call: without a connection ioredis would only name an option of its own.
 * @throws REDIS_UNREACHABLE
 */
export function assertConnected(redis: RedisClient): void {
  if (redis.status === 'ready' && (redis instanceof Cluster || redis.stream.writable)) return
  const where = redis instanceof Cluster ? 'in the cluster' : `at ${redis.options.host}:${redis.options.port}`
  throw new FreshetError('REDIS_UNREACHABLE', `there is no connection to Redis ${where}`)
}
