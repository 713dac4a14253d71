import type { Settings } from '@freshet/config/schema.ts'
import { keyAt, STATE } from '@freshet/records/score-batch.ts'
import type { StoredRows } from '@freshet/records/stored-rows.ts'
import { storedScoreEncoder } from '@freshet/records/stored-score.ts'
import { bucketOf, redisKeyIn } from './redis-key.ts'

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

/** (4→5) Rows as calls. Of a key that they hold twice only the highest rank is left: the guard looks before it writes. */
export function rowsToCalls(rows: StoredRows, pipeline: string, settings: Settings['redis']): GuardedCall[] {
  const encode = storedScoreEncoder(rows)
  const slots = new Map<number | undefined, SlotValues>()
  for (let row = 0; row < rows.count; row++) {
    const key = keyAt(rows, row).toString()
    const bucket = settings.cluster ? bucketOf(key) : undefined
    let slot = slots.get(bucket)
    if (slot === undefined) slots.set(bucket, (slot = { living: new Map(), deleted: new Map() }))
    keepNewest(slot, redisKeyIn(bucket, pipeline, key), encode(row), rows.states[row] === STATE.deleted)
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

/** As the guard compares (rank-guard.ts). */
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
