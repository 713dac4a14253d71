import type { Producer } from '@freshet/adapters/kafka/producer.ts'
import type { Event } from '../capture/capture-state.ts'
import { removeCursor } from './cursor-store.ts'
import type { ShardTable } from './shard-table.ts'
import type { TrackedShard } from './tracked-shard.ts'

/**
 * The shards of the cursor partitions that the group leaves to this poller. They change from moment to moment; what is
 * told of one that is no longer here does nothing.
 */
export interface TrackedShards {
  /** Partitions of `.cursors` that are held and whose cursors are all known. */
  partitions(): ReadonlySet<number>
  shards(): readonly TrackedShard[]
  /** A sweep has ended; nothing happens when the shard is no longer here. */
  swept(key: string, event: Extract<Event, { kind: 'swept' }>): void
  /**
   * Takes the cursor of a gone shard out of `.cursors`; where that is read, the shard is forgotten. Nothing happens when
   * its index has come back meanwhile, something of it is still to be buried, or something is being written of it.
   * @throws as Producer.send does
   */
  forget(key: string, signal: AbortSignal): Promise<void>
}

export function trackShards(
  table: ShardTable,
  { producer, pipeline }: { readonly producer: Pick<Producer, 'send'>; readonly pipeline: string },
): TrackedShards {
  return {
    partitions: () => table.partitions(),
    shards: () => [...table.shards()].filter(({ isKnown }) => isKnown),
    swept(key, event) {
      const shard = table.get(key)
      if (shard === undefined) return
      shard.tell(event)
      shard.mustSave = true
    },
    async forget(key, signal) {
      const shard = table.get(key)
      if (!shard?.isBuried || shard.isScanning) return
      const { state } = shard
      shard.beginScan({ state }, new AbortController()) // a cursor that is written behind the removal would bring it back
      try {
        await removeCursor(producer, pipeline, key, signal)
      } finally {
        shard.endScan(state, table.looksBegun)
      }
    },
  }
}
