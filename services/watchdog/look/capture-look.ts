import type { GlobalCheckpoint } from '@freshet/adapters/elasticsearch/global-checkpoints.ts'
import { type Cursor, cursorKey } from '@freshet/records/cursor.ts'
import type { CaptureFacts, ShardFacts } from '@freshet/records/facts.ts'
import { Standing } from './standing.ts'
import { Uncaptured } from './uncaptured.ts'

/** Checkpoints against cursors, over looks: what is not captured, for how long, and what stands still. Pure. */
export class CaptureLook {
  #uncaptured = new Map<string, Uncaptured>()
  readonly #standing = new Standing()

  see(
    checkpoints: readonly GlobalCheckpoint[],
    cursors: ReadonlyMap<string, Cursor>,
    nowMs: number,
  ): CaptureFacts['shards'] {
    const ages = this.#uncaptured
    this.#uncaptured = new Map() // what is gone is forgotten
    const shards = checkpoints.map((at): ShardFacts => {
      const key = cursorKey(at.indexUuid, at.shard)
      const cursor = cursors.get(key)
      const cursorSeqNo = cursor?.seqNo ?? -1
      const age = ages.get(key) ?? new Uncaptured()
      this.#uncaptured.set(key, age)
      const behind = Math.max(0, at.checkpoint - cursorSeqNo)
      return {
        ...at,
        cursorSeqNo: cursor?.seqNo ?? null,
        epoch: cursor?.epoch ?? null,
        primaryTerm: cursor?.identity.primaryTerm ?? null,
        behind,
        ...age.see({ checkpoint: at.checkpoint, cursorSeqNo }, nowMs),
        ...this.#standing.see(key, { position: cursorSeqNo, hasWork: behind > 0 }, nowMs),
      }
    })
    this.#standing.lookEnds()
    return shards
  }
}
