import { type KafkaConnection, withAdmin } from './connect.ts'
import type { Admin } from './kafkajs/kafkajs.ts'

/** Where the log of a partition begins, and the offset that its next message will get. */
export interface PartitionEnds {
  readonly partition: number
  readonly low: number
  readonly high: number
}

/** By rising partition. */
export async function readEnds(admin: Admin, topic: string): Promise<PartitionEnds[]> {
  const ends = await admin.fetchTopicOffsets(topic)
  return ends
    .map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }))
    .sort((a, b) => a.partition - b.partition)
}

/** The same, by a client of its own. @throws as `withAdmin` does */
export async function readTopicEnds(
  connection: KafkaConnection,
  topic: string,
  signal: AbortSignal,
): Promise<PartitionEnds[]> {
  return await withAdmin(connection, { doing: `reading the ends of ${topic}`, signal }, (admin) =>
    readEnds(admin, topic),
  )
}
