import type { ShardFacts } from '@freshet/records/facts.ts'
import { listed } from '@freshet/stage/listed.ts'
import { countOf, formatCount, formatSeconds } from '../format.ts'
import { livingOf } from './living.ts'
import type { Rule, Scene, Symptom } from './rule.ts'
import { nameOf, neededByCapture, placeOf } from './stall.ts'
import { trendOf } from './trend.ts'

/** By cursors and checkpoints, which a frozen poller, or one that sees wrongly, cannot gloss over. */
export const captureBehind: Rule = {
  name: 'capture-behind',
  find: (scene) => [...behind(scene), ...unreadable(scene)],
  notKnown: (scene) => [
    ...(mayBeBehind(scene) ? ['capture-behind'] : []),
    ...(unreadableShards(scene).shards > 0 ? ['capture-behind/unreadable'] : []),
  ],
}

/** Not by too much as far as was seen, but nobody has looked for as long as that. */
function mayBeBehind({ now, threshold }: Scene): boolean {
  const shards = now.capture.value?.shards
  return shards?.some(({ behindSeconds, behindBefore }) => behindBefore && behindSeconds <= threshold) ?? true
}

function behind(scene: Scene): Symptom[] {
  const late = lateShards(scene)
  if (late.length === 0) return []
  const seconds = oldest(late)
  const operations = late.reduce((sum, shard) => sum + shard.behind, 0)
  const pollers = livingOf(scene, 'poller')
  const theirs = pollers.reduce(
    (sum, { heartbeat }) => sum + (heartbeat.metrics['freshet.poller.behind'] ?? 0),
    0,
  )
  const earlier = scene.earlier.map((facts) => ({
    atMs: facts.atMs,
    value: oldest(facts.capture.value?.shards ?? []),
  }))
  const unbegun = late.filter(({ cursorSeqNo }) => cursorSeqNo === null)
  return [
    {
      id: 'capture-behind',
      title: `the capture of ${nameOf(late)} is ${formatSeconds(seconds)} behind${pollers.length === 0 ? ', and no poller runs' : ''}`,
      details: {
        Behind: `${formatSeconds(seconds)}, ${countOf(operations, 'operation')}`,
        Shards: `${late.length} of ${scene.now.capture.value!.shards.length}: ${listed(late.map(placeOf))}`,
        Pollers: pollers.length === 0 ? 'none' : `${pollers.length}; they say ${formatCount(theirs)} behind`,
        ...(unbegun.length > 0 && { 'Not begun': countOf(unbegun.length, 'shard') }),
        Trend: trendOf({ atMs: scene.now.atMs, value: seconds }, earlier, scene.threshold),
      },
      advice: {
        effect: 'what has changed in Elasticsearch since then has no new score',
        firstLook:
          pollers.length === 0
            ? 'start a poller: `freshet run poller`'
            : '`freshet status`, then the log of the poller',
      },
      measure: { value: seconds },
      sinceSeconds: seconds,
      needs: neededByCapture,
    },
  ]
}

/** An index that is not to be captured as it is says so by its poller, and has no cursor: it is not late. */
function lateShards(scene: Scene): readonly ShardFacts[] {
  const { now, threshold } = scene
  const refused = Math.max(
    0,
    ...livingOf(scene, 'poller').map(({ heartbeat }) => heartbeat.metrics['freshet.poller.refused'] ?? 0),
  )
  return (now.capture.value?.shards ?? [])
    .filter(({ cursorSeqNo }) => cursorSeqNo !== null || refused === 0)
    .filter(({ behindSeconds }) => behindSeconds > threshold)
    .toSorted((a, b) => b.behindSeconds - a.behindSeconds)
}

function oldest(shards: readonly ShardFacts[]): number {
  return Math.max(0, ...shards.map(({ behindSeconds }) => behindSeconds))
}

/**
 * A shard without a primary has no checkpoint: only the pollers know that it should be there. No bulk load makes one, for
 * which the threshold may have been raised, and earlier looks do not go back for ever: see FactWindow.
 */
const UNREADABLE_SECONDS_AT_MOST = 240

function unreadable(scene: Scene): Symptom[] {
  const { shards, forSeconds, isLasting } = unreadableShards(scene)
  if (shards === 0 || !isLasting) return []
  return [
    {
      id: 'capture-behind/unreadable',
      title: `${shards === 1 ? 'a shard' : `${shards} shards`} of the source cannot be read`,
      details: {
        Shards: `${shards} without a primary that can be read`,
        For: `more than ${formatSeconds(forSeconds)}`,
      },
      advice: {
        effect: 'changes of these shards are not found; their cursors stay, and nothing is deleted',
        firstLook: 'the health of the index: `GET _cluster/allocation/explain`',
      },
      needs: neededByCapture,
    },
  ]
}

/** As many as at each look of the last `forSeconds`; `isLasting`: there were looks all the time. */
function unreadableShards({ now, earlier, threshold, silentSeconds }: Scene) {
  const forSeconds = Math.min(threshold, UNREADABLE_SECONDS_AT_MOST)
  const sinceMs = now.atMs - forSeconds * 1_000
  const looks = [...earlier.filter(({ atMs }) => atMs >= sinceMs), now]
  return {
    shards: Math.min(...looks.map((look) => unreadableIn({ now: look, silentSeconds }))),
    forSeconds,
    isLasting: earlier.some(({ atMs }) => atMs <= sinceMs),
  }
}

/** Each poller counts all. */
function unreadableIn(look: Pick<Scene, 'now' | 'silentSeconds'>): number {
  return Math.max(
    0,
    ...livingOf(look, 'poller').map(({ heartbeat }) => heartbeat.metrics['freshet.poller.unreadable'] ?? 0),
  )
}
