import type { ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import type { Cursor } from '@freshet/records/cursor.ts'

/** A shard that this poller answers for. */
export interface TrackedShard {
  /** As in `.cursors`: `indexUuid/shard`. */
  readonly key: string
  /** Of `.cursors`. */
  readonly partition: number
  /** As it is on disk or, with the same epochs, ahead of it: what is dead in here may be buried. */
  readonly cursor: Cursor
  /**
   * By the last look, if it shows the primary that was known before: the look in which that changed may tell what the one
   * before had counted. undefined also while its primary cannot be read, its index is closed, or gone.
   */
  readonly view: ShardView | undefined
  /** Its index has been gone for the grace time and its epoch is dead: when that is buried, forget the shard. */
  readonly isGone: boolean
  /** Everything that was there when its epoch began has been captured, or its index is closed. */
  readonly hasCompletedFirstScan: boolean
}
