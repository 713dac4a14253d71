import { systemClock } from '@freshet/stage/clock.ts'
import { type KafkaConnection, withAdmin } from './connect.ts'
import { type GroupPosition, readGroupPositions, readPositions } from './group-positions.ts'
import type { Admin } from './kafkajs/kafkajs.ts'
import type { KeptAdmin } from './kafkajs/kept-admin.ts'
import { ageMs, nextProbeAgeMs, type Probe } from './lag-search.ts'

export interface PartitionLag {
  readonly partition: number
  /** null: the group has committed nothing here, so all that the log holds waits. */
  readonly committedOffset: number | null
  readonly endOffset: number
  readonly lagRecords: number
  /** Age of the oldest message that waits, at most 10 % too high; 0 when nothing waits, or not for 0.2 s. */
  readonly lagSeconds: number
}

/**
 * How far a group is behind, by partition.
 * @throws TOPIC_MISSING, KAFKA_UNREACHABLE; DEADLINE when `signal` aborts
 */
export async function readLag(
  connection: KafkaConnection,
  { groupId, topic }: { groupId: string; topic: string },
  signal: AbortSignal,
): Promise<PartitionLag[]> {
  const doing = `reading the lag of ${groupId} on ${topic}`
  return await withAdmin(connection, { doing, signal }, async (admin) =>
    lagOf(admin, topic, await readGroupPositions(admin, { groupId, topic })),
  )
}

export interface GroupView {
  /** Consumers that are in the group now; null where the broker does not say. */
  readonly members: number | null
  readonly partitions: readonly PartitionLag[]
}

/**
 * The same of several groups, with their members, by a client that is kept: for who looks every few seconds. And how many records of
 * a topic are still to be read by one who has come so far in it.
 * @param reader what was read of its topic: by partition the offset after the last record
 * @throws TOPIC_MISSING, KAFKA_UNREACHABLE; DEADLINE when `signal` aborts
 */
export async function readLags(
  kept: KeptAdmin,
  groups: readonly { readonly groupId: string; readonly topic: string }[],
  reader: { readonly topic: string; readonly nextOffsets: ReadonlyMap<number, number> },
  signal: AbortSignal,
): Promise<{ readonly groups: readonly GroupView[]; readonly unread: number }> {
  return await kept.do({ doing: 'reading the lag of groups', signal }, async (admin) => {
    const groupIds = groups.map(({ groupId }) => groupId)
    const [members, positions] = await Promise.all([
      membersOf(admin, groupIds),
      readPositions(admin, groups, [reader.topic]),
    ])
    const lags = await Promise.all(groups.map(({ topic }, at) => lagOf(admin, topic, positions.groups[at]!)))
    const unread = positions.more[0]!.map(({ partition, low, high }) =>
      Math.max(0, high - Math.max(low, reader.nextOffsets.get(partition) ?? 0)),
    )
    return {
      groups: groups.map(({ groupId }, at) => ({
        members: members.get(groupId) ?? null,
        partitions: lags[at]!,
      })),
      unread: unread.reduce((sum, count) => sum + count, 0),
    }
  })
}

/** Empty where it may not be asked: who is in a group helps to say what is wrong, and is no condition for it. */
async function membersOf(admin: Admin, groupIds: string[]): Promise<ReadonlyMap<string, number>> {
  const described = await admin.describeGroups(groupIds).catch(() => ({ groups: [] }))
  return new Map(described.groups.map(({ groupId, members }) => [groupId, members.length]))
}

async function lagOf(
  admin: Admin,
  topic: string,
  positions: readonly GroupPosition[],
): Promise<PartitionLag[]> {
  const behind = new Map(positions.filter((at) => recordsOf(at) > 0).map((at) => [at.partition, nextOf(at)]))
  const probes = await probe(admin, topic, behind)
  return positions.map((at) => ({
    partition: at.partition,
    committedOffset: at.committed ?? null,
    endOffset: at.high,
    lagRecords: recordsOf(at),
    lagSeconds: behind.has(at.partition) ? ageMs(at.partition, nextOf(at), probes) / 1_000 : 0,
  }))
}

/** A group as a whole: records add up, and it is as late as its latest partition. */
export function sumLag(partitions: readonly PartitionLag[]): Pick<PartitionLag, 'lagRecords' | 'lagSeconds'> {
  return {
    lagRecords: partitions.reduce((sum, { lagRecords }) => sum + lagRecords, 0),
    lagSeconds: Math.max(0, ...partitions.map(({ lagSeconds }) => lagSeconds)),
  }
}

async function probe(admin: Admin, topic: string, behind: ReadonlyMap<number, number>): Promise<Probe[]> {
  const nowMs = systemClock.nowMs()
  const probes: Probe[] = []
  while (probes.length < MAX_PROBES) {
    const ageMs = nextProbeAgeMs(behind, probes)
    if (ageMs === undefined) break
    const answer = await admin.fetchTopicOffsetsByTimestamp(topic, Math.floor(nowMs - ageMs))
    probes.push({
      ageMs,
      offsets: new Map(answer.map(({ partition, offset }) => [partition, Number(offset)])),
    })
  }
  return probes
}

/** Enough for partitions that are about equally far behind; with more, some ages are told too high. */
const MAX_PROBES = 60

/** What the group reads next: the beginning, where it has no position or the log has lost it. */
function nextOf({ committed, low, high }: GroupPosition): number {
  return committed === undefined || committed < low || committed > high ? low : committed
}

function recordsOf(at: GroupPosition): number {
  return at.high - nextOf(at)
}
