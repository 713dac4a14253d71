/** What the watchdog itself does not hear of a Kafka that answers: heartbeats, cursors. Pure. */
import type { Facts } from '@freshet/records/facts.ts'
import { countOf, formatSeconds } from '../format.ts'
import { lastHeardAtMs } from './living.ts'
import type { Symptom } from './rule.ts'

/**
 * Nobody is heard for so long, not even the watchdog by itself: it is deaf, and the others may be well. On a machine that
 * is busy a reader of Kafka takes half a minute to begin.
 */
const DEAF_SECONDS = 45
/** The consumer of the watchdog is built anew after half a minute. */
const UNREAD_SECONDS = 60

export function unheard(now: Facts): readonly Symptom[] {
  return [...unheardHeartbeats(now), ...unheardCursors(now)]
}

/** The ids of what may be unheard although it is not found. */
export function notKnownToBeHeard({ capture }: Facts): readonly string[] {
  const { unreadBefore, unreadSeconds = 0 } = capture.value ?? { unreadBefore: true }
  return unreadBefore && unreadSeconds <= UNREAD_SECONDS ? ['unreachable/cursors'] : []
}

/** Seconds without a heartbeat of anybody, while Kafka answers. */
function silenceOf(facts: Facts): number {
  const { answersSinceMs } = facts.kafka
  if (answersSinceMs === null) return 0 // told as Kafka being away
  return (facts.atMs - Math.max(answersSinceMs, lastHeardAtMs(facts))) / 1_000
}

export function isDeaf(facts: Facts): boolean {
  return silenceOf(facts) > DEAF_SECONDS
}

function unheardHeartbeats(facts: Facts): Symptom[] {
  const silentSeconds = silenceOf(facts)
  if (!isDeaf(facts)) return []
  return [
    {
      id: 'unreachable/heartbeats',
      title: 'no heartbeat is heard, not even the watchdog’s own',
      blinds: true,
      details: { Silence: formatSeconds(silentSeconds) },
      advice: {
        effect: 'nobody can tell who lives; the pipeline may be well',
        firstLook: 'whether Kafka takes and gives records: `freshet doctor`',
      },
    },
  ]
}

function unheardCursors({ capture: { value } }: Facts): Symptom[] {
  if (value === null) return []
  const { newer, unreadCursors, unreadSeconds } = value
  const isLate = unreadSeconds > UNREAD_SECONDS
  if (!isLate && newer === undefined) return []
  return [
    {
      id: 'unreachable/cursors',
      title: isLate
        ? 'the watchdog cannot read the cursors'
        : `the watchdog cannot read ${newer?.shards === 1 ? 'the cursor of a shard' : `the cursors of ${newer?.shards} shards`}, which a newer release has written`,
      details: {
        ...(isLate && {
          Unread: `${unreadCursors} records of .cursors, for ${formatSeconds(unreadSeconds)}`,
        }),
        ...(newer && { Error: newer.error, 'Not judged': countOf(newer.shards, 'shard') }),
      },
      advice: {
        effect:
          'nobody sees from outside whether changes are captured; the pollers’ own word is all there is',
        firstLook: isLate
          ? 'the log of the watchdog: what it says of .cursors'
          : 'whether the watchdog is of the release of the pollers: upgrade it',
      },
    },
  ]
}
