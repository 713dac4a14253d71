import type { GroupFacts } from '@freshet/records/facts.ts'
import { formatCount, formatSeconds } from '../format.ts'
import type { Part, Rule, Scene, Symptom } from './rule.ts'
import { neededBy } from './servers.ts'
import { trendOf } from './trend.ts'

/** Of what is read all the time; the snapshot takes its turn, and has a rule of its own. */
export const lag: Rule = {
  name: 'lag',
  find: (scene) =>
    scene.now.groups
      .filter(({ worker }) => worker !== 'snapshot')
      .flatMap((group) => judge(group, scene) ?? []),
}

function judge(group: GroupFacts, scene: Scene): Symptom | undefined {
  const { groupId, topic, worker, members, partitions } = group
  const seconds = lagSecondsOf(group)
  if (seconds <= scene.threshold) return undefined
  const records = partitions.reduce((sum, { lagRecords }) => sum + lagRecords, 0)
  const late = partitions.filter(({ lagSeconds }) => lagSeconds > scene.threshold)
  const isFresh = partitions.every(({ committedOffset }) => committedOffset === null)
  const isAlone = members === 0
  const earlier = scene.earlier.flatMap(({ atMs, groups }) => {
    const same = groups.find((one) => one.groupId === groupId)
    return same === undefined ? [] : [{ atMs, value: lagSecondsOf(same) }]
  })
  return {
    id: `lag/${groupId}`,
    title: `${groupId} is ${formatSeconds(seconds)} behind${isAlone ? ', and nobody reads for it' : ''}`,
    details: {
      Topic: topic,
      Behind: `${formatSeconds(seconds)}, ${formatCount(records)} records`,
      Partitions: `${late.length} of ${partitions.length}: ${late.map(({ partition }) => partition).join(', ')}`,
      Readers: members === null ? 'unknown' : `${members}`,
      ...(isFresh && { Commits: 'none yet' }),
      Trend: trendOf({ atMs: scene.now.atMs, value: seconds }, earlier, scene.threshold),
    },
    advice: {
      effect: EFFECTS[worker] ?? 'scores are stale; the gateway still answers with what it has',
      firstLook: isAlone
        ? `start a scorer whose scorer.workers has ${worker}`
        : '`freshet status`, then the last error of the scorer',
    },
    measure: { value: seconds },
    sinceSeconds: seconds,
    needs: neededByGroup(group),
  }
}

/** A group is as late as its latest partition. */
function lagSecondsOf({ partitions }: GroupFacts): number {
  return Math.max(0, ...partitions.map(({ lagSeconds }) => lagSeconds))
}

export function neededByGroup({ worker, groupId }: GroupFacts): readonly Part[] {
  return [...neededBy(worker), 'service scorer', `worker scorer/${worker}`, `group ${groupId}`]
}

const EFFECTS: Readonly<Record<string, string>> = {
  infer: 'what has changed lately has no new score: callers get the scores of before',
  cache: 'new scores do not reach Redis in time: callers get older ones',
}
