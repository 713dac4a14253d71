import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import { type FollowerParts, type FollowStatus, SnapshotFollower } from '@freshet/snapshot/follow.ts'
import { SnapshotTable } from '@freshet/snapshot/table/snapshot-table.ts'
import type { SnapshotRung } from './ladder/ladder.ts'

/** The snapshot in memory, and the follower that keeps it fresh, as one rung. */
export class FollowedSnapshot implements SnapshotRung {
  readonly #table = new SnapshotTable()
  readonly #follower: SnapshotFollower

  constructor(
    store: ObjectStore,
    options: Pick<FollowerParts, 'pipeline' | 'everyMs' | 'clock' | 'log' | 'onLook'>,
  ) {
    this.#follower = new SnapshotFollower({ store, table: this.#table, ...options })
  }

  get ready(): boolean {
    return this.#follower.status.loadedAtMs > 0
  }

  get state(): FollowStatus['state'] {
    return this.#follower.status.state
  }

  get(key: string): StoredScore | undefined {
    return this.#table.get(key)
  }

  /** Follows until `signal` aborts. @throws CONFIG_INVALID when the snapshot is another pipeline's */
  run(signal: AbortSignal): Promise<void> {
    return this.#follower.run(signal)
  }
}
