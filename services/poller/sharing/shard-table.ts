import { isDeepStrictEqual } from 'node:util'
import type { ShardsView, ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { type Cursor, cursorKey } from '@freshet/records/cursor.ts'
import { TOPICS } from '@freshet/records/topics.ts'
import { newCapture, resume } from '../capture/capture.ts'
import { cursorPartition } from './cursor-partition.ts'
import { nextEpoch } from './epoch.ts'
import { EpochHistory } from './epoch-history.ts'
import { HeldShard } from './held-shard.ts'

/** A partition of `.cursors` that the group has left to us. */
interface Holding {
  /** All that it held when we got it is read: its shards may be captured. */
  isKnown: boolean
  lastEpoch: number
  readonly shards: Map<string, HeldShard>
  /** Until it is known. */
  readonly histories: Map<string, EpochHistory>
}

/**
 * The shards of this poller: those whose cursors lie in partitions that it holds. Partitions come and go with the group,
 * shards with the looks at Elasticsearch; records of `.cursors`, own and foreign, are read as they come.
 */
export class ShardTable {
  readonly #holdings = new Map<number, Holding>()
  #looksBegun = 0
  #lastSeenLook = 0
  /** Looks begun when the last partition became known: a later one shows its shards. */
  #looksBeforeKnown = 0

  get looksBegun(): number {
    return this.#looksBegun
  }

  partitions(): ReadonlySet<number> {
    return new Set([...this.#holdings].filter(([, { isKnown }]) => isKnown).map(([partition]) => partition))
  }

  *shards(): Generator<HeldShard> {
    for (const { isKnown, shards } of this.#holdings.values()) if (isKnown) yield* shards.values()
  }

  get(key: string): HeldShard | undefined {
    const holding = this.#holdings.get(cursorPartition(key))
    return holding?.isKnown ? holding.shards.get(key) : undefined
  }

  assign(partition: number): void {
    this.#holdings.set(partition, {
      isKnown: false,
      lastEpoch: 0,
      shards: new Map(),
      histories: new Map(),
    })
  }

  /** What was read up to here is all that the partition held when it was assigned. */
  know(partition: number): void {
    const holding = this.#holdings.get(partition)
    this.#looksBeforeKnown = this.#looksBegun
    if (holding === undefined) return
    holding.isKnown = true
    for (const [key, history] of holding.histories)
      for (const epoch of history.strangers()) holding.shards.get(key)?.tell({ kind: 'foreign', epoch })
    holding.histories.clear()
  }

  /** What it knew is forgotten: whoever gets the partition next goes on from what is on disk. */
  revoke(partition: number): void {
    for (const shard of this.#holdings.get(partition)?.shards.values() ?? []) shard.stopScan()
    this.#holdings.delete(partition)
  }

  /** A record of `.cursors`; null where a cursor was taken out, with which a shard of which nothing is left is forgotten. */
  read(partition: number, key: string, cursor: Cursor | null): void {
    const holding = this.#holdings.get(partition)
    if (holding === undefined) return
    if (cursor !== null) holding.lastEpoch = Math.max(holding.lastEpoch, cursor.epoch, ...cursor.deadEpochs)
    const shard = holding.shards.get(key)
    if (holding.isKnown && shard !== undefined && !(shard.isBuried && cursor === null)) {
      hear(shard, cursor)
      return
    }
    if (cursor === null) {
      holding.shards.delete(key)
      holding.histories.delete(key)
      return
    }
    if (!holding.isKnown) remember(holding.histories, key, cursor)
    if (shard !== undefined && cursor.epoch < shard.cursor.epoch) shard.mustSave = true
    else holding.shards.set(key, new HeldShard(key, partition, resume(cursor), this.#looksBegun))
  }

  /**
   * A record of `.cursors` that cannot be read: ours is written over it. Where we do not know how far the shard is, it
   * begins anew, above all epochs that the partition has shown.
   */
  readBroken(partition: number, key: string): void {
    const holding = this.#holdings.get(partition)
    const shard = holding?.shards.get(key)
    if (holding === undefined || shard === undefined) return
    if (holding.isKnown) shard.mustSave = true
    else
      holding.shards.set(key, new HeldShard(key, partition, resume(ofUnknownScope(shard)), this.#looksBegun))
  }

  /** @returns the number of the look that begins now */
  beginLook(): number {
    return ++this.#looksBegun
  }

  /**
   * @param look number that `beginLook` gave when the view was asked for
   * @param isCapturable of an index, by its uuid: others are left alone
   */
  see(
    view: ShardsView,
    look: number,
    { nowMs, isCapturable }: { nowMs: number; isCapturable: (indexUuid: string) => boolean },
  ): void {
    this.#lastSeenLook = look
    const seen = new Set<string>()
    for (const shardView of view.readable) {
      if (!isCapturable(shardView.identity.indexUuid)) continue
      const shard = this.#meet(shardView)
      if (shard === undefined) continue
      shard.belongsTo(view.clusterUuid)
      shard.see(shardView, look)
      seen.add(shard.key)
    }
    const closed = new Set(view.closed)
    for (const shard of [...this.shards()]) {
      if (seen.has(shard.key)) continue
      shard.loseSight(whyUnseen(shard, view, closed), look, nowMs)
      if (!shard.isKnown && !shard.isScanning) this.#holdings.get(shard.partition)?.shards.delete(shard.key)
    }
  }

  /** A shard waits for a look, or a partition whose shards no look has shown. */
  needsLook(nowMs: number): boolean {
    if (this.#lastSeenLook <= this.#looksBeforeKnown) return true
    for (const shard of this.shards()) if (shard.needsLook(nowMs)) return true
    return false
  }

  /** The epoch that `takeEpoch` would give. */
  nextEpoch(partition: number, nowMs: number): number {
    const lastKnown = this.#holdings.get(partition)?.lastEpoch ?? 0
    return nextEpoch({ partition, partitions: TOPICS.cursors.partitions }, { lastKnown, nowMs })
  }

  /** An epoch for a shard of the partition, above all that is known of it and given to nobody else. */
  takeEpoch(partition: number, nowMs: number): number {
    const epoch = this.nextEpoch(partition, nowMs)
    const holding = this.#holdings.get(partition)
    if (holding !== undefined) holding.lastEpoch = epoch
    return epoch
  }

  /** undefined where the shard is another poller's, or its cursor is not yet known. */
  #meet({ index, shard, identity }: ShardView): HeldShard | undefined {
    const key = cursorKey(identity.indexUuid, shard)
    const partition = cursorPartition(key)
    const holding = this.#holdings.get(partition)
    if (!holding?.isKnown) return undefined
    const there = holding.shards.get(key)
    if (there !== undefined) return there
    const held = new HeldShard(key, partition, newCapture(index, shard), 0)
    holding.shards.set(key, held)
    return held
  }
}

/** Under which it begins a new epoch, with the one that it had among the dead. */
function ofUnknownScope({ state: { cursor } }: HeldShard): Cursor {
  return { ...cursor, scope: '' }
}

function remember(histories: Map<string, EpochHistory>, key: string, cursor: Cursor): void {
  const history = histories.get(key) ?? new EpochHistory()
  histories.set(key, history)
  history.add(cursor)
}

/**
 * A record of a shard that is ours: our own, or of another poller, whose epochs ours must outrank. Its dead epochs count
 * as well: compaction may have taken away the records that they stood in. Only what is the same as ours may be the last
 * on disk: also under our own epoch, a record that came late is behind, and nothing would ever follow it at rest.
 */
function hear(shard: HeldShard, cursor: Cursor | null): void {
  shard.mustSave = !isDeepStrictEqual(cursor, shard.cursor)
  if (cursor === null) return
  const { epoch } = shard.state.cursor
  if (cursor.epoch === epoch) return
  for (const other of [...cursor.deadEpochs, cursor.epoch]) shard.tell({ kind: 'foreign', epoch: other })
  if (cursor.epoch > epoch) shard.stopScan()
}

/** Only the cluster that a cursor is from can tell that its index is gone; where that is unknown, the one that there is. */
function whyUnseen({ key, cursor }: HeldShard, view: ShardsView, closed: ReadonlySet<string>) {
  const indexUuid = key.slice(0, key.lastIndexOf('/'))
  if (view.indexUuids.has(indexUuid)) return closed.has(cursor.index) ? 'closed' : 'unreadable'
  return ['', view.clusterUuid].includes(cursor.clusterUuid) ? 'missing' : 'unreadable'
}
