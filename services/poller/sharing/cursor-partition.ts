import { Buffer } from 'node:buffer'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import { TOPICS } from '@freshet/records/topics.ts'

/** The partition of `.cursors` for a shard: whoever holds it captures the shard. */
export function cursorPartition(key: string): number {
  return partitionOf(Buffer.from(key), TOPICS.cursors.partitions)
}
