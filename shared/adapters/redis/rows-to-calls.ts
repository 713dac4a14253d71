import type { Settings } from '@freshet/config/schema.ts'
import { compareRowRanks } from '@freshet/records/row-ranks.ts'
import { STATE } from '@freshet/records/score-batch.ts'
import type { StoredRows } from '@freshet/records/stored-rows.ts'
import { bucketOf } from './redis-key.ts'

/** More keys a call save nothing, and a reader waits for as long as one call takes (figures: decisions/0006). */
const KEYS_PER_CALL = 64

/** One call of the guard: keys that are all different, live equally long, and in a cluster lie in one slot. */
export interface GuardedCall {
  /** Of the batch. */
  readonly rows: readonly number[]
  readonly ttlSeconds: number
  /** undefined: there is no cluster. */
  readonly bucket: number | undefined
}

/** (4→5) Rows as calls. Of a key that they hold twice only the highest rank is left: the guard looks before it writes. */
export function rowsToCalls(
  rows: StoredRows,
  { cluster, ttlSeconds, tombstoneTtlSeconds }: Settings['redis'],
): GuardedCall[] {
  const calls: GuardedCall[] = []
  const filling = new Map<number, number[]>()
  for (const row of newestRows(rows)) {
    const bucket = cluster ? bucketOf(keyBytesAt(rows, row)) : undefined
    const isDeleted = rows.states[row] === STATE.deleted
    const kind = 2 * (bucket ?? 0) + (isDeleted ? 1 : 0)
    let call = filling.get(kind)
    if (call === undefined || call.length === KEYS_PER_CALL) {
      filling.set(kind, (call = []))
      calls.push({ rows: call, ttlSeconds: isDeleted ? tombstoneTtlSeconds : ttlSeconds, bucket })
    }
    call.push(row)
  }
  return calls
}

/** Of each key the row with the highest rank, and of such the first. */
function newestRows(rows: StoredRows): readonly number[] {
  const newest: number[] = []
  const places = placesFor(rows.count)
  const mask = places.length - 1
  for (let row = 0; row < rows.count; row++) {
    let place = hashAt(rows, row) & mask
    while (places[place]! !== NOTHING && !haveSameKey(rows, newest[places[place]!]!, row))
      place = (place + 1) & mask
    const there = places[place]!
    if (there === NOTHING) places[place] = newest.push(row) - 1
    else if (compareRowRanks(rows, row, rows, newest[there]!) > 0) newest[there] = row
  }
  return newest
}

const NOTHING = -1
let kept = new Int32Array(0)

/** A hash table that is at most half full; the same memory again and again, since no call is left before its end. */
function placesFor(count: number): Int32Array {
  const size = 2 ** Math.ceil(Math.log2(2 * Math.max(1, count)))
  if (kept.length < size) kept = new Int32Array(size)
  return kept.subarray(0, size).fill(NOTHING)
}

/** FNV-1a, and its high bits mixed into the low ones, which find the place. */
function hashAt({ keys, keyOffsets }: StoredRows, row: number): number {
  let hash = 0x811c9dc5
  for (let at = keyOffsets[row]!, to = keyOffsets[row + 1]!; at < to; at++)
    hash = Math.imul(hash ^ keys[at]!, 0x01000193)
  return hash ^ (hash >>> 15)
}

function haveSameKey({ keys, keyOffsets }: StoredRows, a: number, b: number): boolean {
  const [fromA, fromB] = [keyOffsets[a]!, keyOffsets[b]!]
  const length = keyOffsets[a + 1]! - fromA
  if (keyOffsets[b + 1]! - fromB !== length) return false
  for (let i = 0; i < length; i++) if (keys[fromA + i] !== keys[fromB + i]) return false
  return true
}

function keyBytesAt({ keys, keyOffsets }: StoredRows, row: number): Uint8Array {
  return keys.subarray(keyOffsets[row]!, keyOffsets[row + 1]!)
}
