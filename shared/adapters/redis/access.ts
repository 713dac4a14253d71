/** What a Redis user may do beside what Freshet needs, found by trying: a user may rarely read its own rules. */
import type { Settings } from '@freshet/config/schema.ts'
import { askOnce } from './ask-once.ts'
import type { RedisClient } from './connect.ts'
import { replyCode, toRedisError } from './redis-error.ts'
import { markKeys, redisKey } from './redis-key.ts'

export interface RedisAccess {
  /** What a gateway needs and this user may not do; so do the others. */
  readonly missingToRead: readonly string[]
  /** What a scorer needs beyond that. */
  readonly missingToWrite: readonly string[]
  /** What nothing in Freshet does. */
  readonly beyond: readonly string[]
}

/** No document is called so: nothing is found there, and nothing changed. */
const PROBE = 'freshet-doctor/probe'

/**
 * Tries every kind of command on keys of this pipeline, none of which changes anything.
 * @throws REDIS_UNREACHABLE, REDIS_UNAUTHORIZED for a user who is not let in at all, REDIS_REFUSED
 */
export function tryRedisAccess(settings: Settings['redis'], pipeline: string): Promise<RedisAccess> {
  return askOnce(settings, (redis, address) =>
    accessOver(redis, { address, pipeline, isCluster: settings.cluster }),
  )
}

/** The same over a connection that is there. */
export async function accessOver(
  redis: RedisClient,
  { address, ...where }: { readonly address: string; readonly pipeline: string; readonly isCluster: boolean },
): Promise<RedisAccess> {
  const probes = probesOf(redis, where)
  const refusedAmong = async (some: Probes): Promise<string[]> => {
    const refused: string[] = []
    for (const [name, call] of Object.entries(some)) if (await isRefused(call, address)) refused.push(name)
    return refused
  }
  const refusedBeyond = new Set(await refusedAmong(probes.beyond))
  return {
    missingToRead: await refusedAmong(probes.read),
    missingToWrite: await refusedAmong(probes.write),
    beyond: Object.keys(probes.beyond).filter((name) => !refusedBeyond.has(name)),
  }
}

type Probes = Readonly<Record<string, () => Promise<unknown>>>

function probesOf(
  redis: RedisClient,
  { pipeline, isCluster }: { readonly pipeline: string; readonly isCluster: boolean },
): Readonly<Record<'read' | 'write' | 'beyond', Probes>> {
  const key = redisKey(pipeline, PROBE, isCluster)
  const [mark] = markKeys(pipeline, isCluster)
  const claim = `${pipeline}:refiller`
  return {
    read: {
      GET: () => redis.get(key),
      MGET: () => redis.mget(key),
      [`GET of ${pipeline}:filled`]: () => redis.get(mark!),
      INFO: () => redis.info('server'),
    },
    write: {
      SET: () => redis.set(key, '', 'PX', 1, 'XX'), // only over what is there
      DEL: () => redis.del(key),
      PEXPIRE: () => redis.pexpire(key, 1),
      EVAL: () => redis.eval("return redis.call('GET', KEYS[1])", 1, key),
      EVALSHA: () => redis.evalsha('0'.repeat(40), 1, key),
      [`GET of ${claim}`]: () => redis.get(claim),
    },
    beyond: {
      'read the configuration (CONFIG)': () => redis.config('GET', 'maxmemory'),
      'read users and their rights (ACL)': () => redis.acl('LIST'),
      'read keys of others': () => redis.get(PROBE),
      'write keys of others': () => redis.set(PROBE, '', 'PX', 1, 'XX'),
    },
  }
}

/** @throws what is not about rights, and is no answer to a probe, as one without a connection */
async function isRefused(call: () => Promise<unknown>, address: string): Promise<boolean> {
  try {
    await call()
    return false
  } catch (error) {
    const code = replyCode(error)
    if (code === undefined) throw toRedisError(error, address)
    // ERR: the server does not have the command, as hosted ones have no CONFIG; and, of Redis 6, a script may not use it.
    return code === 'NOPERM' || code === 'ERR'
  }
}
