import type { KafkaConnection } from './connect.ts'

export interface PartitionLag {
  readonly partition: number
  readonly committedOffset: number | null
  readonly endOffset: number
  readonly lagRecords: number
  readonly lagSeconds: number
}

export async function readLag(
  _connection: KafkaConnection,
  _group: { groupId: string; topic: string },
): Promise<PartitionLag[]> {
  throw new Error('to come')
}
