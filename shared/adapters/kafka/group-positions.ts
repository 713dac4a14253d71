import type { Admin } from 'kafkajs'

/** Where a partition's log begins and ends, and where a group stands in it. */
export interface GroupPosition {
  readonly partition: number
  readonly low: number
  readonly high: number
  readonly committed: number | undefined
}

/** Reads what is committed before the ends, so that a group in motion never seems ahead of its topic. */
export async function readGroupPositions(
  admin: Admin,
  { groupId, topic }: { groupId: string; topic: string },
): Promise<GroupPosition[]> {
  const [group] = await admin.fetchOffsets({ groupId, topics: [topic] })
  const ends = await admin.fetchTopicOffsets(topic)
  const committed = new Map(group?.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
  return ends
    .map(({ partition, low, high }) => {
      const at = committed.get(partition) ?? -1
      return { partition, low: Number(low), high: Number(high), committed: at < 0 ? undefined : at }
    })
    .sort((a, b) => a.partition - b.partition)
}
