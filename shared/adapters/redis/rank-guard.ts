import { createHash } from 'node:crypto'
import type { Settings } from '@freshet/config/schema.ts'
import { keyAt, STATE } from '@freshet/records/score-batch.ts'
import type { StoredRows } from '@freshet/records/stored-rows.ts'
import { storedScoreEncoder } from '@freshet/records/stored-score.ts'
import { bucketOf, redisKey } from './redis-key.ts'

/** Code of the guard's answer when it meets a value of a version that it does not know: its rank cannot be compared. */
export const NEWER_VERSION = 'FRESHETVERSION'

/**
 * Stores each value whose rank is higher than that of the value there; a tie stores nothing.
 * KEYS: the keys, each once. ARGV: seconds to live (0: for ever), then one value of version 2 a key.
 *
 * No rank is the beginning of another, so it is enough to compare as many characters as the rank that is there has. A
 * value of version 1 has its rank as five numbers of fixed width, which is written anew for the comparison.
 */
const lua = `
local call, find, sub, byte = redis.call, string.find, string.sub, string.byte
local there, ttl = call('MGET', unpack(KEYS)), ARGV[1]
local function asVersion2(value)
  local rank, from = '2', 1
  for _, width in ipairs({14, 12, 8, 14, 8}) do
    local digits = string.gsub(sub(value, from, from + width - 1), '^0+', '')
    rank, from = rank .. string.format('%x', #digits) .. digits, from + width
  end
  return rank .. ' '
end
for i = 1, #KEYS do
  local value, old = ARGV[i + 1], there[i]
  local wins = not old
  if old then
    local version = byte(old)
    if version and version > 50 and version < 58 then return redis.error_reply('${NEWER_VERSION} ' .. KEYS[i]) end
    if version ~= 50 then old = asVersion2(old) end
    local length = (find(old, ' ', 1, true) or #old + 1) - 1
    wins = sub(old, 1, length) < sub(value, 1, length)
  end
  if wins then
    if ttl == '0' then call('SET', KEYS[i], value) else call('SET', KEYS[i], value, 'EX', ttl) end
  end
end`

export const RANK_GUARD = { lua, sha1: createHash('sha1').update(lua).digest('hex') }

/** More keys a call save nothing, and a reader waits for as long as one call takes (figures: decisions/0006). */
const KEYS_PER_CALL = 64

/** One call of the guard: keys that are all different, live equally long, and in a cluster lie in one slot. */
export interface GuardedCall {
  readonly keys: readonly string[]
  /** Seconds to live, then the values. */
  readonly args: readonly string[]
  /** About what it weighs on the wire. */
  readonly bytes: number
}

/** Rows as calls. Of a key that they hold twice only the highest rank is left: the guard looks before it writes. */
export function callsOf(rows: StoredRows, pipeline: string, settings: Settings['redis']): GuardedCall[] {
  const encode = storedScoreEncoder(rows)
  const slots = new Map<number | undefined, SlotValues>()
  for (let row = 0; row < rows.count; row++) {
    const key = keyAt(rows, row).toString()
    const bucket = settings.cluster ? bucketOf(key) : undefined
    let slot = slots.get(bucket)
    if (slot === undefined) slots.set(bucket, (slot = { living: new Map(), deleted: new Map() }))
    keepNewest(slot, redisKey(pipeline, key, bucket), encode(row), rows.states[row] === STATE.deleted)
  }
  return [...slots.values()].flatMap(({ living, deleted }) => [
    ...inCalls(living, settings.ttlSeconds),
    ...inCalls(deleted, settings.tombstoneTtlSeconds),
  ])
}

/** Values by Redis key, of one slot, or of a server that has no slots. */
interface SlotValues {
  readonly living: Map<string, string>
  readonly deleted: Map<string, string>
}

function keepNewest({ living, deleted }: SlotValues, key: string, value: string, isDeleted: boolean): void {
  const [mine, others] = isDeleted ? [deleted, living] : [living, deleted]
  const there = mine.get(key) ?? others.get(key)
  if (there !== undefined && !outranks(value, there)) return
  if (there !== undefined) others.delete(key)
  mine.set(key, value)
}

/** As the guard compares. */
function outranks(value: string, there: string): boolean {
  const length = there.indexOf(' ')
  return value.slice(0, length) > there.slice(0, length)
}

function* inCalls(values: ReadonlyMap<string, string>, ttlSeconds: number): Generator<GuardedCall> {
  let keys: string[] = []
  let args = [`${ttlSeconds}`]
  let bytes = 0
  for (const [key, value] of values) {
    keys.push(key)
    args.push(value)
    bytes += key.length + value.length
    if (keys.length < KEYS_PER_CALL) continue
    yield { keys, args, bytes }
    keys = []
    args = [`${ttlSeconds}`]
    bytes = 0
  }
  if (keys.length > 0) yield { keys, args, bytes }
}
