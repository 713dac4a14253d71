import { type Cursor, cursorKey, isSamePrimary } from '@freshet/records/cursor.ts'
import { compareRevisions, type Revision } from '@freshet/records/revision.ts'
import type { ClusterModel } from './elasticsearch/cluster-model.kit.ts'
import type { Operation } from './elasticsearch/copy.kit.ts'
import type { ShardModel } from './elasticsearch/shard-model.kit.ts'
import { nameOf, nameOfCursor } from './names.kit.ts'
import { LIMITS } from './poller/limits.kit.ts'

/**
 * What must be true at every moment, whatever has failed:
 * - nothing is emitted that is above the checkpoint;
 * - whoever goes on from the cursor on disk finds all that lives, in what it reads again or in `.changes`;
 * - no cursor is beyond the checkpoint, and its windows are bounded;
 * - no tombstone of a sweep outranks a document that lives in its epoch.
 */
export class Promises {
  /** The first that was broken. */
  broken: string | undefined
  readonly #cluster: ClusterModel
  /** By epoch: what stands in `.changes`. */
  readonly #emitted = new Map<number, Set<string>>()
  /** By document: the highest tombstone of a sweep. */
  readonly #tombstones = new Map<string, Revision>()
  /** By key: the last cursor on disk. */
  readonly #onDisk = new Map<string, Cursor>()

  constructor(cluster: ClusterModel) {
    this.#cluster = cluster
  }

  onDisk(key: string): Cursor | undefined {
    return this.#onDisk.get(key)
  }

  hasEmitted(epoch: number, operation: Operation): boolean {
    return this.#emitted.get(epoch)?.has(nameOf(operation)) === true
  }

  emitted(cursor: Cursor, page: readonly Operation[]): void {
    const emitted = this.#emitted.get(cursor.epoch) ?? new Set()
    this.#emitted.set(cursor.epoch, emitted)
    for (const operation of page) emitted.add(nameOf(operation))
    const checkpoint = this.#shardOf(cursor)?.promisedCheckpoint
    const above = page.find(({ seqNo }) => checkpoint !== undefined && seqNo > checkpoint)
    if (above !== undefined)
      this.#break(`${nameOfCursor(cursor)} emits ${nameOf(above)}, above the checkpoint ${checkpoint}`)
  }

  saved(key: string, cursor: Cursor): void {
    this.#onDisk.set(key, cursor)
    const shard = this.#shardOf(cursor)
    if (shard === undefined) return
    if (cursor.windows.length > LIMITS.maxWindows) this.#break(`${nameOfCursor(cursor)} has too many windows`)
    if (cursor.seqNo > shard.promisedCheckpoint)
      this.#break(`${nameOfCursor(cursor)} is beyond the checkpoint ${shard.promisedCheckpoint}`)
    this.#judgeCursor(cursor, shard)
  }

  forgotten(key: string): void {
    this.#onDisk.delete(key)
  }

  buried(document: string, revision: Revision): void {
    const there = this.#tombstones.get(document)
    if (there === undefined || compareRevisions(revision, there) > 0) this.#tombstones.set(document, revision)
    for (const { index, number } of this.#cluster.places) this.#judgeTombstones(cursorKey(index.uuid, number))
  }

  /** Something has befallen the shard. */
  judge(key: string): void {
    const cursor = this.#onDisk.get(key)
    const shard = cursor && this.#shardOf(cursor)
    if (shard === undefined) return
    this.#judgeCursor(cursor!, shard)
    this.#judgeTombstones(key)
  }

  #judgeCursor(cursor: Cursor, shard: ShardModel): void {
    const { identity, windows, seqNo } = cursor
    const { answer } = shard
    const isSame = isSamePrimary(identity, { ...answer, indexUuid: identity.indexUuid })
    const goesOnFrom = isSame ? seqNo : Math.min(seqNo, ...windows.map(({ startSeqNo }) => startSeqNo))
    for (const operation of shard.truth.values()) {
      const isClaimed = operation.kind !== 'delete' && operation.seqNo <= goesOnFrom
      if (isClaimed && !this.hasEmitted(cursor.epoch, operation))
        this.#break(`${nameOfCursor(cursor)} claims ${nameOf(operation)}, which was never emitted`)
    }
  }

  #judgeTombstones(key: string): void {
    const cursor = this.#onDisk.get(key)
    const shard = cursor && this.#shardOf(cursor)
    if (shard === undefined) return
    const { epoch, index, scope } = cursor!
    for (const operation of shard.truth.values()) {
      const { id, kind, seqNo, primaryTerm } = operation
      const tombstone = this.#tombstones.get(`${index}/${id}`)
      const lives = kind === 'document' || (kind === 'marked' && scope === 'all')
      if (!lives || tombstone?.epoch !== epoch) continue
      if (compareRevisions({ documentVersion: 0, epoch, primaryTerm, seqNo }, tombstone) <= 0)
        this.#break(`${index}/${nameOf(operation)} lives and is buried at ${JSON.stringify(tombstone)}`)
    }
  }

  /** The shard as long as it has the history of the cursor. */
  #shardOf({ shard: number, identity }: Cursor): ShardModel | undefined {
    const shard = this.#cluster.shard(identity.indexUuid, number)
    return shard?.answer.historyUuid === identity.historyUuid ? shard : undefined
  }

  #break(what: string): void {
    this.broken ??= what
  }
}
