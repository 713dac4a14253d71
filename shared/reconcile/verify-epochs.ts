import type { ShardsView, ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { type Cursor, cursorKey, isSameHistory } from '@freshet/records/cursor.ts'
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
  if (cursor === undefined || !isSameHistory(cursor.identity, identity) || cursor.scope !== scopeHash)
    return null
  return { epoch: cursor.epoch, seqNo: cursor.seqNo }
}

/** What epochs stand for. Whatever is in no cursor is dead: an epoch is saved before anything of it is emitted. */
export class Epochs {
  readonly #cursors: readonly Cursor[]
  readonly #live: ReadonlySet<number>

  constructor(cursors: Cursors) {
    this.#cursors = [...cursors.values()]
    this.#live = new Set(this.#cursors.map(({ epoch }) => epoch))
  }

  isLive(epoch: number): boolean {
    return this.#live.has(epoch)
  }

  /** Under which everything that lives, or comes to life, is captured: of an index, or of all. Infinity: nothing is. */
  lowestLive(index?: string): number {
    const ofIndex = this.#cursors.filter((cursor) => index === undefined || cursor.index === index)
    return Math.min(...ofIndex.map(({ epoch }) => epoch))
  }

  /** Indices that are not, although their cursors are there: their scores have a time of grace. @param view read later */
  gone({ indexUuids }: Pick<ShardsView, 'indexUuids'>): string[] {
    const gone = this.#cursors.filter(({ identity }) => !indexUuids.has(identity.indexUuid))
    return [...new Set(gone.map(({ index }) => index))]
  }
}
