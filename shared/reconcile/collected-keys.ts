import { randomInt } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { murmur3 } from '@freshet/snapshot/murmur3.ts'
import {
  bucketOf,
  ENTRY_BYTES,
  type Entries,
  entriesFor,
  isSame,
  SEGMENTS,
  type SealedSegment,
  segmentOf,
  writeEntry,
} from './key-entries.ts'
import { LiveTable } from './live-table.ts'

/**
 * Which keys live, each with its sequence number, in at most 16 bytes a key outside of JavaScript's heap. First all keys
 * are collected, then `seal` makes of them a table that is asked.
 *
 * A key is kept as 80 bits of its hash: 10 say which segment, 70 stand in the entry. A dead key passes for a living one
 * when it agrees with any of them in all 80. In a sweep of 10^7 living keys that meets 10^7 dead ones, these are 10^14
 * pairs, so that happens once in 2^80 / 10^14 = 1.2 × 10^10 sweeps. The seed is drawn anew for each table: no set of
 * keys can be made to collide, and a pair that did is told apart by the next sweep.
 *
 * An entry takes 14 bytes: 32 + 32 + 6 bits of the hash, 41 of the sequence number, one mark. Segments grow one at a
 * time and by an eighth, so while keys are collected 14 × 9/8 = 15.75 bytes a key are held at most (or 16 spare entries
 * a segment, 0.2 MB in all); a sealed table has 14 and half a byte for its buckets.
 */
export class CollectedKeys {
  readonly #segments: Segment[] = Array.from({ length: SEGMENTS }, () => ({
    count: 0,
    entries: entriesFor(0),
  }))
  readonly #seed = randomInt(2 ** 32)
  readonly #hash = new Uint32Array(4)
  #bytes = 0

  /** Of the entries; there may be a few more than keys, since a key may be added again. */
  get bytes(): number {
    return this.#bytes
  }

  /** Adds the key `bytes[from .. to]`. Of a key that is added again the last sequence number counts. */
  add(bytes: Uint8Array, from: number, to: number, seqNo: number): void {
    const hash = this.#hash
    murmur3(bytes, from, to, { seed: this.#seed, into: hash })
    const segment = this.#segments[segmentOf(hash)]!
    if (segment.count === segment.entries.first.length) this.#grow(segment)
    writeEntry(segment.entries, segment.count++, hash, seqNo)
  }

  /** Takes its memory over, a segment at a time; there is nothing left to add to. */
  async seal(): Promise<LiveTable> {
    const sealed: SealedSegment[] = []
    let sinceTurn = 0
    for (const segment of this.#segments) {
      sealed.push(sealSegment(segment))
      sinceTurn += segment.count
      resize(segment.entries, 0)
      segment.entries = entriesFor(0)
      segment.count = 0
      if (sinceTurn < SEALED_AT_ONCE) continue
      sinceTurn = 0
      await nextTurn()
    }
    return new LiveTable(sealed, this.#seed)
  }

  #grow(segment: Segment): void {
    const count = segment.entries.first.length
    const more = Math.max(MIN_GROWTH, count >>> 3)
    segment.entries = resize(segment.entries, count + more)
    this.#bytes += more * ENTRY_BYTES
  }
}

/** Keys; about 4 ms. */
const SEALED_AT_ONCE = 50_000
const MIN_GROWTH = 16
const BUCKET_ENTRIES = 16

interface Segment {
  count: number
  entries: Entries
}

/** Moves the columns: what they were is given back at once, not when the garbage collector comes by. */
function resize({ first, second, seqNoLow, rest }: Entries, count: number): Entries {
  return {
    first: new Uint32Array(first.buffer.transfer(4 * count)),
    second: new Uint32Array(second.buffer.transfer(4 * count)),
    seqNoLow: new Uint32Array(seqNoLow.buffer.transfer(4 * count)),
    rest: new Uint16Array(rest.buffer.transfer(2 * count)),
  }
}

function sealSegment({ count, entries: from }: Segment): SealedSegment {
  const buckets = Math.max(1, Math.ceil(count / BUCKET_ENTRIES))
  const starts = new Uint32Array(buckets)
  for (let i = 0; i < count; i++) starts[bucketOf(from.first[i]!, buckets)]!++
  let sum = 0
  for (let bucket = 0; bucket < buckets; bucket++) {
    const size = starts[bucket]!
    starts[bucket] = sum
    sum += size
  }
  const sealed = { entries: entriesFor(count), starts, ends: starts.slice() }
  let distinct = 0
  for (let i = 0; i < count; i++) if (placeInBucket(sealed, from, i)) distinct++
  return { ...sealed, distinct }
}

/** @returns false when the key is there already, and only its sequence number is taken over */
function placeInBucket(
  { entries, starts, ends }: Omit<SealedSegment, 'distinct'>,
  from: Entries,
  i: number,
): boolean {
  const bucket = bucketOf(from.first[i]!, starts.length)
  const end = ends[bucket]!
  let at = starts[bucket]!
  while (at < end && !isSame(entries, at, from.first[i]!, from.second[i]!, from.rest[i]!)) at++
  entries.first[at] = from.first[i]!
  entries.second[at] = from.second[i]!
  entries.seqNoLow[at] = from.seqNoLow[i]!
  entries.rest[at] = from.rest[i]!
  if (at < end) return false
  ends[bucket] = end + 1
  return true
}
