import type { ShardsView, ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { type Cursor, cursorKey } from '@freshet/records/cursor.ts'
import type { JoinedShard } from './verify-join.ts'

/** By `indexUuid/shard`, as `.cursors` has them. */
export type Cursors = ReadonlyMap<string, Cursor>

/**
 * Under which epoch a shard is captured, and how far. A cursor of another history or scope counts as none: the poller
 * will begin anew, under another epoch.
 */
export function capturedOf(
  cursors: Cursors,
  { identity, shard }: ShardView,
  scopeHash: string,
): JoinedShard['captured'] {
  const cursor = cursors.get(cursorKey(identity.indexUuid, shard))
  if (cursor?.identity.historyUuid !== identity.historyUuid || cursor.scope !== scopeHash) return null
  return { epoch: cursor.epoch, seqNo: cursor.seqNo }
}

/** What epochs stand for. Whatever is in no cursor is dead: an epoch is saved before anything of it is emitted. */
export class Epochs {
  readonly #live: ReadonlySet<number>
  /** Indices whose cursors are there although they are not: their scores have a time of grace. */
  readonly gone: readonly string[]

  constructor(cursors: Cursors, { indexUuids }: Pick<ShardsView, 'indexUuids'>) {
    const all = [...cursors.values()]
    this.#live = new Set(all.map(({ epoch }) => epoch))
    this.gone = [
      ...new Set(all.filter(({ identity }) => !indexUuids.has(identity.indexUuid)).map(({ index }) => index)),
    ]
  }

  isLive(epoch: number): boolean {
    return this.#live.has(epoch)
  }
}
