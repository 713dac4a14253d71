import { Buffer } from 'node:buffer'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import type { Cursor } from '@freshet/records/cursor.ts'
import type { Revision } from '@freshet/records/revision.ts'
import { TOPICS } from '@freshet/records/topics.ts'
import { LogModel } from './log-model.kit.ts'

export const CURSOR_PARTITIONS = TOPICS.cursors.partitions

/** A record of `.changes`. */
export interface ChangeModel {
  readonly revision: Revision
  readonly isDelete: boolean
}

/** The topics that a poller writes. Of `.changes` one partition is enough: nothing depends on the order between keys. */
export class KafkaModel {
  readonly changes = new LogModel<ChangeModel>()
  readonly cursors = Array.from({ length: CURSOR_PARTITIONS }, () => new LogModel<Cursor>())

  /** Records so far. */
  get written(): number {
    return this.cursors.reduce((sum, { endOffset }) => sum + endOffset, this.changes.endOffset)
  }
}

const partitions = new Map<string, number>()

/** The partition of `.cursors` in which a shard's cursor is kept. */
export function cursorPartition(cursorKey: string): number {
  let partition = partitions.get(cursorKey)
  if (partition === undefined) {
    partition = partitionOf(Buffer.from(cursorKey), CURSOR_PARTITIONS)
    partitions.set(cursorKey, partition)
  }
  return partition
}
