import { murmur3 } from '@freshet/snapshot/murmur3.ts'
import {
  bucketOf,
  isSame,
  MARK,
  restOf,
  SEQ_NO_RANGE,
  type SealedSegment,
  segmentOf,
  seqNoAt,
} from './key-entries.ts'

/** Which keys live, each with its sequence number. Made by CollectedKeys. */
export class LiveTable {
  readonly #segments: readonly SealedSegment[]
  readonly #seed: number
  readonly #hash = new Uint32Array(4)
  readonly size: number

  constructor(segments: readonly SealedSegment[], seed: number) {
    this.#segments = segments
    this.#seed = seed
    this.size = segments.reduce((sum, { distinct }) => sum + distinct, 0)
  }

  /** Whether the key `bytes[from .. to]` lives. */
  has(bytes: Uint8Array, from: number, to: number): boolean {
    const segment = this.#segmentOf(bytes, from, to)
    return entryOf(segment, this.#hash) !== -1
  }

  /**
   * Marks a living key as met.
   * @returns how many operations its row at `seqNo` lags behind the living document: 0 is current, negative when the row
   *   is newer than the table; undefined when the key does not live. Exact up to 2^40 operations.
   */
  meet(bytes: Uint8Array, from: number, to: number, seqNo: number): number | undefined {
    const segment = this.#segmentOf(bytes, from, to)
    const at = entryOf(segment, this.#hash)
    if (at === -1) return undefined
    segment.entries.rest[at]! |= MARK
    return distance(seqNo, seqNoAt(segment.entries, at))
  }

  /** Whether the key lives and `meet` was called for it. */
  isMet(bytes: Uint8Array, from: number, to: number): boolean {
    const segment = this.#segmentOf(bytes, from, to)
    const at = entryOf(segment, this.#hash)
    return at !== -1 && (segment.entries.rest[at]! & MARK) !== 0
  }

  /**
   * Sequence numbers of the living keys that were not met, in no order.
   * @param near none of them is further than 2^40 from it
   */
  *unmetSeqNos(near: number): Generator<number> {
    for (const { entries, starts, ends } of this.#segments)
      for (let bucket = 0; bucket < ends.length; bucket++)
        for (let at = starts[bucket]!; at < ends[bucket]!; at++)
          if ((entries.rest[at]! & MARK) === 0) yield near + distance(near, seqNoAt(entries, at))
  }

  #segmentOf(bytes: Uint8Array, from: number, to: number): SealedSegment {
    murmur3(bytes, from, to, { seed: this.#seed, into: this.#hash })
    return this.#segments[segmentOf(this.#hash)]!
  }
}

/** Position of the entry of a hash, or -1. */
function entryOf({ entries, starts, ends }: SealedSegment, hash: Uint32Array): number {
  const bucket = bucketOf(hash[0]!, starts.length)
  const end = ends[bucket]!
  for (let at = starts[bucket]!; at < end; at++)
    if (isSame(entries, at, hash[0]!, hash[1]!, restOf(hash))) return at
  return -1
}

/** From one sequence number to another, the short way around 2^41. */
function distance(from: number, to: number): number {
  const ahead = (to - (from % SEQ_NO_RANGE) + SEQ_NO_RANGE) % SEQ_NO_RANGE
  return ahead >= SEQ_NO_RANGE / 2 ? ahead - SEQ_NO_RANGE : ahead
}
