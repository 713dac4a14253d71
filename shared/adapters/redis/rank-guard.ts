import { createHash } from 'node:crypto'
import type { Settings } from '@freshet/config/schema.ts'
import { newer, RANK_LENGTH } from '@freshet/records/revision.ts'
import type { ScoreBatch } from '@freshet/records/score-batch.ts'
import { encodeStoredScore, type StoredScore, storedScoreAt } from '@freshet/records/stored-score.ts'
import { redisKey } from './redis-key.ts'

/**
 * Stores each value whose rank, its first characters, is higher than that of the value there; a tie stores nothing.
 * KEYS: the keys, each once. ARGV: seconds to live (0: for ever), then one value a key.
 */
const lua = `
local there, ttl = redis.call('MGET', unpack(KEYS)), ARGV[1]
for i = 1, #KEYS do
  local value, old = ARGV[i + 1], there[i]
  if not old or string.sub(old, 1, ${RANK_LENGTH}) < string.sub(value, 1, ${RANK_LENGTH}) then
    if ttl == '0' then redis.call('SET', KEYS[i], value) else redis.call('SET', KEYS[i], value, 'EX', ttl) end
  end
end`

export const RANK_GUARD = { lua, sha1: createHash('sha1').update(lua).digest('hex') }

/** More keys a call save nothing, and a reader waits for as long as one call takes (figures: decisions/0006). */
const KEYS_PER_CALL = 64

/** One call of the guard: keys that are all different and live equally long. */
export interface GuardedCall {
  readonly keys: readonly string[]
  /** Seconds to live, then the values. */
  readonly args: readonly string[]
  /** About what it weighs on the wire. */
  readonly bytes: number
}

/** A batch as calls. Of a key that it holds twice only the highest rank is left: the guard looks before it writes. */
export function callsOf(batch: ScoreBatch, pipeline: string, settings: Settings['redis']): GuardedCall[] {
  const newest = new Map<string, StoredScore>()
  for (let row = 0; row < batch.rows.count; row++) {
    const score = storedScoreAt(batch, row)
    const there = newest.get(score.key)
    newest.set(score.key, there === undefined ? score : newer(there, score))
  }
  const { deleted = [], living = [] } = Object.groupBy(newest.values(), ({ state }) =>
    state === 'deleted' ? 'deleted' : 'living',
  )
  return [
    ...inCalls(living, pipeline, settings.ttlSeconds),
    ...inCalls(deleted, pipeline, settings.tombstoneTtlSeconds),
  ]
}

function inCalls(scores: readonly StoredScore[], pipeline: string, ttlSeconds: number): GuardedCall[] {
  const calls: GuardedCall[] = []
  for (let from = 0; from < scores.length; from += KEYS_PER_CALL) {
    const some = scores.slice(from, from + KEYS_PER_CALL)
    const keys = some.map(({ key }) => redisKey(pipeline, key))
    const values = some.map(encodeStoredScore)
    const characters = keys.reduce((sum, key, i) => sum + key.length + values[i]!.length, 0)
    calls.push({ keys, args: [`${ttlSeconds}`, ...values], bytes: characters })
  }
  return calls
}
