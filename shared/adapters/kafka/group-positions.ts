import type { Admin } from 'kafkajs'

/** Where a partition's log begins and ends, and where a group stands in it. */
export interface GroupPosition {
  readonly partition: number
  readonly low: number
  readonly high: number
  readonly committed: number | undefined
  /** What was committed with it; empty where nothing was. */
  readonly note: string
}

/** Reads what is committed before the ends, so that a group in motion never seems ahead of its topic. */
export async function readGroupPositions(
  admin: Admin,
  { groupId, topic }: { groupId: string; topic: string },
): Promise<GroupPosition[]> {
  const [group] = await admin.fetchOffsets({ groupId, topics: [topic] })
  const ends = await admin.fetchTopicOffsets(topic)
  const committed = new Map(group?.partitions.map((at) => [at.partition, at]))
  return ends
    .map(({ partition, low, high }) => {
      const { offset, metadata } = committed.get(partition) ?? { offset: '-1', metadata: null }
      const at = Number(offset)
      return {
        partition,
        low: Number(low),
        high: Number(high),
        committed: at < 0 ? undefined : at,
        note: metadata ?? '',
      }
    })
    .sort((a, b) => a.partition - b.partition)
}
