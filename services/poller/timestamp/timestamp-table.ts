import type { Cursor } from '@freshet/records/cursor.ts'
import { TOPICS } from '@freshet/records/topics.ts'
import { cursorPartition } from '../sharing/cursor-partition.ts'
import { nextEpoch } from '../sharing/epoch.ts'

interface Holding {
  isKnown: boolean
  lastEpoch: number
  /** By `indexUuid/shard`: of the highest epoch, and of that the last. */
  readonly cursors: Map<string, Cursor>
  /** Of these the last record on disk is of a lower epoch: a poller woke up late. */
  readonly mustSave: Set<string>
}

/** The cursor partitions that the group leaves to this poller, and what stands in them: own and foreign records. */
export class TimestampTable {
  readonly #holdings = new Map<number, Holding>()

  partitions(): ReadonlySet<number> {
    return new Set([...this.#holdings].filter(([, { isKnown }]) => isKnown).map(([partition]) => partition))
  }

  assign(partition: number): void {
    this.#holdings.set(partition, { isKnown: false, lastEpoch: 0, cursors: new Map(), mustSave: new Set() })
  }

  know(partition: number): void {
    const holding = this.#holdings.get(partition)
    if (holding !== undefined) holding.isKnown = true
  }

  revoke(partition: number): void {
    this.#holdings.delete(partition)
  }

  read(partition: number, key: string, cursor: Cursor | null): void {
    const holding = this.#holdings.get(partition)
    if (holding === undefined) return
    const there = holding.cursors.get(key)
    holding.mustSave.delete(key)
    if (cursor === null) holding.cursors.delete(key)
    else if (there !== undefined && there.epoch > cursor.epoch) holding.mustSave.add(key)
    else {
      holding.cursors.set(key, cursor)
      holding.lastEpoch = Math.max(holding.lastEpoch, cursor.epoch, ...cursor.deadEpochs)
    }
  }

  /** A record that cannot be read: ours is written over it, or the index begins anew, under an epoch of its own. */
  readBroken(partition: number, key: string): void {
    const holding = this.#holdings.get(partition)
    const there = holding?.cursors.get(key)
    if (holding === undefined || there === undefined) return
    if (holding.isKnown) holding.mustSave.add(key)
    else holding.cursors.set(key, { ...there, scope: '' })
  }

  holds(key: string): boolean {
    return this.#holdings.get(cursorPartition(key))?.isKnown === true
  }

  cursor(key: string): Cursor | undefined {
    return this.#holdings.get(cursorPartition(key))?.cursors.get(key)
  }

  mustSave(key: string): boolean {
    return this.#holdings.get(cursorPartition(key))?.mustSave.has(key) === true
  }

  /** An epoch above all that is known of the key's partition, and given to nobody else. */
  takeEpoch(key: string, nowMs: number): number {
    const partition = cursorPartition(key)
    const holding = this.#holdings.get(partition)
    const lastKnown = holding?.lastEpoch ?? 0
    const epoch = nextEpoch({ partition, partitions: TOPICS.cursors.partitions }, { lastKnown, nowMs })
    if (holding !== undefined) holding.lastEpoch = epoch
    return epoch
  }
}
