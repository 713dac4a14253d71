import type { StoredScore } from '@freshet/records/stored-score.ts'
import type { Deadline } from '../server/deadline.ts'
import { NOTHING, type Said, unheard } from './said.ts'

/** The snapshot as the ladder needs it: SnapshotTable behind its follower, or a test's. */
export interface SnapshotRung {
  /** False until a whole snapshot is loaded; what is loaded so far is used all the same. */
  readonly ready: boolean
  /** From memory: about a microsecond; never waits. */
  get(key: string): StoredScore | undefined
  /**
   * Where memory does not hold the whole snapshot: the highest rank of what memory and S3 hold, by range reads. Ends
   * within the deadline and never rejects. Undefined: memory holds all, `get` has said everything. It costs requests, so it
   * is asked only for keys that the cache had nothing of, or was not heard on.
   */
  ask?(key: string, deadline: Deadline): Promise<Said> | undefined
}

/** What memory says. */
export function askSnapshot(rung: SnapshotRung, key: string): Said {
  const score = rung.get(key)
  if (score !== undefined) return { kind: 'has', score }
  return rung.ready ? NOTHING : unheard('snapshot_loading')
}
