import type { GroupFacts, ShardFacts } from '@freshet/records/facts.ts'
import { listed } from '@freshet/stage/listed.ts'
import { countOf, formatSeconds } from '../format.ts'
import { neededByGroup } from './lag.ts'
import { livingOf } from './living.ts'
import type { Rule, Scene, Symptom } from './rule.ts'
import { neededBy } from './servers.ts'

/** Alive, with work, and not moving: what is dead is told as silent, and what moves too slowly as lag. */
export const stall: Rule = {
  name: 'stall',
  find: (scene) => [
    ...scene.now.groups.flatMap((group) => judgeGroup(group, scene) ?? []),
    ...judgeCapture(scene),
  ],
  notKnown: (scene) => [
    ...scene.now.groups
      .filter((group) => mayStand(group.partitions, limitOf(group, scene)))
      .map(({ groupId }) => `stall/${groupId}`),
    ...(mayStand(scene.now.capture.value?.shards, scene.threshold) ? ['stall/capture'] : []),
  ],
}

/** Not for too long as far as was seen, but nobody has looked for as long as that. */
function mayStand(
  all: readonly Pick<ShardFacts, 'standsSeconds' | 'stoodBefore'>[] | undefined,
  limitSeconds: number,
): boolean {
  return all?.some(({ standsSeconds, stoodBefore }) => stoodBefore && standsSeconds <= limitSeconds) ?? true
}

/** The snapshot commits once an interval, and is not told to stand between. */
function limitOf({ worker }: GroupFacts, { now, threshold }: Scene): number {
  return threshold + (worker === 'snapshot' ? now.snapshotIntervalSeconds : 0)
}

function judgeGroup(group: GroupFacts, scene: Scene): Symptom | undefined {
  const { groupId, topic, members, partitions } = group
  if (members === 0 || livingOf(scene, 'scorer').length === 0) return undefined
  const limitSeconds = limitOf(group, scene)
  const standing = partitions.filter(({ standsSeconds }) => standsSeconds > limitSeconds)
  if (standing.length === 0) return undefined
  const seconds = Math.max(...standing.map(({ standsSeconds }) => standsSeconds))
  const records = standing.reduce((sum, { lagRecords }) => sum + lagRecords, 0)
  return {
    id: `stall/${groupId}`,
    title: `${groupId} has stood still for ${formatSeconds(seconds)} with work before it`,
    details: {
      Topic: topic,
      Waiting: countOf(records, 'record'),
      Partitions: `${standing.length} of ${partitions.length}: ${standing.map(({ partition }) => partition).join(', ')}`,
      'Standing at': listed(standing.map((at) => `${at.partition}@${at.committedOffset ?? 'the beginning'}`)),
      Readers: members === null ? 'unknown' : `${members}`,
    },
    advice: {
      effect: 'scores grow old, although a scorer runs',
      firstLook: 'the log of the scorer: what its last batch waits for; then restart it',
    },
    measure: { value: seconds, above: limitSeconds },
    sinceSeconds: seconds,
    needs: neededByGroup(group).filter((part) => part !== `group ${groupId}`),
    breaks: [`group ${groupId}`],
  }
}

function judgeCapture(scene: Scene): Symptom[] {
  const { now, threshold } = scene
  const shards = now.capture.value?.shards ?? []
  const standing = shards.filter(({ standsSeconds }) => standsSeconds > threshold)
  if (standing.length === 0 || !hasPollerFor(threshold, scene)) return []
  const seconds = Math.max(...standing.map(({ standsSeconds }) => standsSeconds))
  return [
    {
      id: 'stall/capture',
      title: `the capture of ${nameOf(standing)} has stood still for ${formatSeconds(seconds)} with work before it`,
      details: {
        Waiting: countOf(
          standing.reduce((sum, { behind }) => sum + behind, 0),
          'operation',
        ),
        Shards: `${standing.length} of ${shards.length}: ${listed(standing.map(placeOf))}`,
      },
      advice: {
        effect: 'changes of these shards are not found, although a poller runs: their scores grow old',
        firstLook:
          'the log of the poller; where it says nothing, restart it: another one takes its shards over',
      },
      measure: { value: seconds },
      sinceSeconds: seconds,
      needs: neededByCapture.filter((part) => part !== 'group capture'),
      breaks: ['group capture'],
    },
  ]
}

/** While none ran the cursors stood, and whoever comes then has only just begun. */
function hasPollerFor(seconds: number, scene: Scene): boolean {
  return livingOf(scene, 'poller').some(
    ({ heartbeat: { atMs, startedAtMs } }) => atMs - startedAtMs > seconds * 1_000,
  )
}

export const neededByCapture = [
  ...neededBy('capture'),
  'service poller',
  'worker poller/capture',
  'group capture',
] as const

export function placeOf({ index, shard, cursorSeqNo, checkpoint }: ShardFacts): string {
  return `${index}/${shard} at ${cursorSeqNo ?? 'the beginning'} of ${checkpoint}`
}

/** The index, or how many there are. */
export function nameOf(shards: readonly ShardFacts[]): string {
  const indices = new Set(shards.map(({ index }) => index))
  return indices.size === 1 ? [...indices][0]! : `${indices.size} indices`
}
