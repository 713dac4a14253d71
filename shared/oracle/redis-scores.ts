import { decodeStoredScore } from '@freshet/records/stored-score.ts'
import { Redis } from 'ioredis'
import type { KnownScore } from './known-score.ts'

const SCAN_KEYS = 1_000

/** Everything that Redis keeps for a pipeline. */
export async function readRedisScores(url: string, pipeline: string): Promise<Map<string, KnownScore>> {
  const redis = new Redis(url)
  const prefix = `${pipeline}:score:`
  const scores = new Map<string, KnownScore>()
  try {
    for (let cursor = '0', done = false; !done; done = cursor === '0') {
      const [next, names] = await redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', SCAN_KEYS)
      cursor = next
      const values = names.length === 0 ? [] : await redis.mget(names)
      for (const [row, name] of names.entries()) {
        const value = values[row]
        if (value == null) continue
        const { key, state, outputs } = decodeStoredScore(name.slice(prefix.length), value)
        scores.set(key, state === 'scored' ? outputs : null)
      }
    }
    return scores
  } finally {
    redis.disconnect()
  }
}
