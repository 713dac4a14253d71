import type { Redis } from 'ioredis'

/** Deletes all scores of a pipeline. */
export async function forgetKeys(redis: Redis, pipeline: string): Promise<void> {
  for (let cursor = '0', done = false; !done; done = cursor === '0') {
    const [next, names] = await redis.scan(cursor, 'MATCH', `${pipeline}:*`, 'COUNT', 1_000)
    cursor = next
    if (names.length > 0) await redis.unlink(names)
  }
}
