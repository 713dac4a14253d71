/**
 * How a living key is kept: 80 bits of its hash and 41 of its sequence number. 10 bits of the hash say which segment; 70,
 * the number and one mark are an entry of 14 bytes.
 */

export const SEGMENTS = 1024
export const ENTRY_BYTES = 14

/** In `rest`: 6 bits of the hash, 9 of the sequence number, the mark. */
const HASH_REST = 0x3f
const SEQ_NO_SHIFT = 6
const SEQ_NO_HIGH = 0x1ff
export const SEQ_NO_RANGE = 2 ** 41
export const MARK = 0x8000

/** As columns. */
export interface Entries {
  readonly first: Uint32Array<ArrayBuffer>
  readonly second: Uint32Array<ArrayBuffer>
  readonly seqNoLow: Uint32Array<ArrayBuffer>
  readonly rest: Uint16Array<ArrayBuffer>
}

/** Entries grouped by bucket: those of bucket b stand at `starts[b] .. ends[b]`, each key once. */
export interface SealedSegment {
  readonly entries: Entries
  readonly starts: Uint32Array
  readonly ends: Uint32Array
  readonly distinct: number
}

export function entriesFor(count: number): Entries {
  return {
    first: new Uint32Array(count),
    second: new Uint32Array(count),
    seqNoLow: new Uint32Array(count),
    rest: new Uint16Array(count),
  }
}

export function segmentOf(hash: Uint32Array): number {
  return hash[3]! & (SEGMENTS - 1)
}

export function restOf(hash: Uint32Array): number {
  return hash[2]! & HASH_REST
}

export function bucketOf(first: number, buckets: number): number {
  return Math.floor((first / 2 ** 32) * buckets)
}

/** @param hash of the key, all four words. @param seqNo kept modulo 2^41 */
export function writeEntry(
  { first, second, seqNoLow, rest }: Entries,
  at: number,
  hash: Uint32Array,
  seqNo: number,
): void {
  first[at] = hash[0]!
  second[at] = hash[1]!
  seqNoLow[at] = seqNo // modulo 2^32
  rest[at] = restOf(hash) | ((Math.floor(seqNo / 2 ** 32) & SEQ_NO_HIGH) << SEQ_NO_SHIFT)
}

export function isSame(
  { first, second, rest }: Entries,
  at: number,
  a: number,
  b: number,
  c: number,
): boolean {
  return first[at] === a && second[at] === b && ((rest[at]! ^ c) & HASH_REST) === 0
}

/** Modulo 2^41. */
export function seqNoAt({ seqNoLow, rest }: Entries, at: number): number {
  return ((rest[at]! >>> SEQ_NO_SHIFT) & SEQ_NO_HIGH) * 2 ** 32 + seqNoLow[at]!
}
