import type { Admin } from './kafkajs/kafkajs.ts'
import { type PartitionEnds, readEnds } from './partition-ends.ts'

/** Where a partition's log begins and ends, and where a group stands in it. */
export interface GroupPosition extends PartitionEnds {
  readonly committed: number | undefined
  /** What was committed with it; empty where nothing was. */
  readonly note: string
}

type Group = { readonly groupId: string; readonly topic: string }

/** Reads what is committed before the ends, so that a group in motion never seems ahead of its topic. */
export async function readGroupPositions(admin: Admin, group: Group): Promise<GroupPosition[]> {
  return (await readPositions(admin, [group], [])).groups[0]!
}

/**
 * The same of several groups, each topic read once; and the ends of more topics.
 * @returns in the order of what was asked for
 */
export async function readPositions(
  admin: Admin,
  groups: readonly Group[],
  moreTopics: readonly string[],
): Promise<{ readonly groups: GroupPosition[][]; readonly more: PartitionEnds[][] }> {
  const committed = await Promise.all(groups.map((group) => readCommitted(admin, group)))
  const topics = [...new Set([...groups.map(({ topic }) => topic), ...moreTopics])]
  const read = await Promise.all(topics.map((topic) => readEnds(admin, topic)))
  const endsOf = (topic: string) => read[topics.indexOf(topic)]!
  return {
    groups: groups.map(({ topic }, at) =>
      endsOf(topic).map((ends) => ({ ...ends, ...(committed[at]!.get(ends.partition) ?? NOTHING) })),
    ),
    more: moreTopics.map(endsOf),
  }
}

type Committed = Pick<GroupPosition, 'committed' | 'note'>

const NOTHING: Committed = { committed: undefined, note: '' }

async function readCommitted(
  admin: Admin,
  { groupId, topic }: Group,
): Promise<ReadonlyMap<number, Committed>> {
  const [group] = await admin.fetchOffsets({ groupId, topics: [topic] })
  return new Map(
    group?.partitions.map(({ partition, offset, metadata }) => {
      const at = Number(offset)
      return [partition, { committed: at < 0 ? undefined : at, note: metadata ?? '' }]
    }),
  )
}
