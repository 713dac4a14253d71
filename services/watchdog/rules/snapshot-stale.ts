import type { Facts, SnapshotFacts } from '@freshet/records/facts.ts'
import { formatCount, formatSeconds } from '../format.ts'
import { neededByGroup } from './lag.ts'
import type { Rule, Scene, Symptom } from './rule.ts'

/** Old alone is not stale: where nothing is scored, nothing is written. */
export const snapshotStale: Rule = {
  name: 'snapshot-stale',
  find: judge,
}

function judge({ now, threshold }: Scene): Symptom[] {
  const group = now.groups.find(({ worker }) => worker === 'snapshot')
  const snapshot = now.snapshot.value
  if (group === undefined || snapshot === null) return []
  const limitSeconds = now.snapshotIntervalSeconds + threshold
  const waiting = group.partitions.filter(
    ({ partition, endOffset, lagSeconds }) =>
      lagSeconds > limitSeconds && endOffset > (nextOffsetOf(snapshot, partition) ?? 0),
  )
  const ageSeconds = ageOf(now, snapshot)
  if (waiting.length === 0 || ageSeconds <= limitSeconds) return []
  const batches = waiting.reduce((sum, { lagRecords }) => sum + lagRecords, 0)
  const oldestSeconds = Math.max(...waiting.map(({ lagSeconds }) => lagSeconds))
  return [
    {
      id: 'snapshot-stale',
      title:
        snapshot.sequence === 0
          ? `there is no snapshot, and scores have waited for one for ${formatSeconds(oldestSeconds)}`
          : `the snapshot is ${formatSeconds(ageSeconds)} old, and scores wait for the next`,
      details: {
        Waiting: `${formatCount(batches)} batches of scores, the oldest ${formatSeconds(oldestSeconds)} old`,
        Partitions: `${waiting.length} of ${group.partitions.length}`,
        Interval: formatSeconds(now.snapshotIntervalSeconds),
        'Last commit': snapshot.sequence === 0 ? 'none' : `${snapshot.sequence}, by ${snapshot.writtenBy}`,
        Writers: group.members === null ? 'unknown' : `${group.members}`,
      },
      advice: {
        effect: 'what callers get while Redis is away, and what refills Redis, grows old',
        firstLook:
          group.members === 0
            ? 'start a scorer whose scorer.workers has snapshot'
            : '`freshet status`, then the last error of the worker snapshot',
      },
      measure: { value: Math.min(ageSeconds, oldestSeconds), above: limitSeconds },
      sinceSeconds: oldestSeconds,
      needs: neededByGroup(group),
    },
  ]
}

function nextOffsetOf({ partitions }: SnapshotFacts, partition: number): number | undefined {
  return partitions.find((one) => one.partition === partition)?.nextOffset
}

/** Since the last commit; endless before the first. */
function ageOf({ atMs }: Facts, { sequence, writtenAtMs }: SnapshotFacts): number {
  return sequence === 0 ? Number.POSITIVE_INFINITY : (atMs - writtenAtMs) / 1_000
}
