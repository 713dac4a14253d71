import { ERRORS, type ErrorCode } from '@freshet/errors/errors.ts'
import type { Facts, InstanceFacts } from '@freshet/records/facts.ts'
import { countOf, formatSeconds, listed } from '../format.ts'
import { codeOf, faultsOf, lastHeardAtMs } from './living.ts'
import type { Rule, Scene, Server, Symptom } from './rule.ts'
import { faultAt, isNoAnswer, SERVER_NAMES, SERVERS, serverOf } from './servers.ts'

/**
 * Nobody is heard for so long, not even the watchdog by itself: it is deaf, and the others may be well. On a machine that
 * is busy a reader of Kafka takes half a minute to begin.
 */
const DEAF_SECONDS = 45
/** Who complained so long ago and said nothing since is no witness. */
const WITNESS_SECONDS = 30
/** The consumer of the watchdog is built anew after half a minute. */
const UNREAD_SECONDS = 60

/** A server that is away is told once, by its name, whoever else stands still for it. */
export const unreachable: Rule = {
  name: 'unreachable',
  find: (scene) => [
    ...SERVERS.flatMap((server) => judge(server, scene) ?? []),
    ...hearing(scene.now),
    ...cursors(scene.now),
  ],
  notKnown: ({ now: { capture } }) => {
    const { unreadBefore, unreadSeconds = 0 } = capture.value ?? { unreadBefore: true }
    return unreadBefore && unreadSeconds <= UNREAD_SECONDS ? ['unreachable/cursors'] : []
  },
}

function judge(server: Server, { now }: Scene): Symptom | undefined {
  const own = faultAt(now, server)
  const complaints = complaintsOf(now, server)
  if (own === null && complaints.length === 0) return undefined
  const code = codeOf(own?.error ?? complaints[0]!.error) as ErrorCode
  const isUnusable = complaints.length === 0 && !isNoAnswer(code) && serverOf(code) === undefined
  return {
    id: `unreachable/${server}`,
    title: isUnusable
      ? `the watchdog cannot use what ${SERVER_NAMES[server]} says`
      : titleOf(server, { now, own: own !== null, complaints }),
    details: {
      ...(own !== null && {
        Error: own.error,
        'The watchdog': `has had no answer for ${formatSeconds((now.atMs - own.sinceMs) / 1_000)}`,
      }),
      ...(own === null && { Error: complaints[0]!.error, 'The watchdog': 'has its answers' }),
      'Who complains': complaints.length === 0 ? 'nobody yet' : listed(namesOf(complaints)),
    },
    advice: { effect: EFFECTS[server], firstLook: ERRORS[code]?.hint ?? 'whether it runs, and its log' },
    ...(server === 'kafka' && own !== null && { blinds: true }),
    ...(!isUnusable && { breaks: [server] }),
  }
}

/** The watchdog alone may have lost its way, or its rights; that is said, and not that the server is dead. */
function titleOf(
  server: Server,
  { now, own, complaints }: { now: Facts; own: boolean; complaints: readonly Complaint[] },
): string {
  const name = SERVER_NAMES[server]
  const who = new Set(namesOf(complaints))
  const [first] = who
  if (own && (who.size > 0 || server === 'kafka' || now.instances.length <= 1))
    return `${name} does not answer`
  if (own) return `${name} does not answer the watchdog`
  return `${who.size === 1 ? first : `${who.size} instances`} cannot reach ${name}, the watchdog can`
}

interface Complaint {
  readonly instance: InstanceFacts
  readonly error: string
}

function complaintsOf(facts: Facts, server: Server): readonly Complaint[] {
  return facts.instances.flatMap((instance) =>
    faultsOf(instance.heartbeat)
      .filter(({ error }) => serverOf(codeOf(error)) === server)
      .filter(() => isHeard(instance, facts))
      .map(({ error }) => ({ instance, error })),
  )
}

/** What one said that is silent since is no news of the server. */
function isHeard({ heardAtMs }: InstanceFacts, facts: Facts): boolean {
  return lastHeardAtMs(facts) - heardAtMs <= WITNESS_SECONDS * 1_000
}

function namesOf(complaints: readonly Complaint[]): string[] {
  return [...new Set(complaints.map(({ instance }) => instance.heartbeat.instance))]
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

function hearing(facts: Facts): Symptom[] {
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

function cursors({ capture: { value } }: Facts): Symptom[] {
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

/** What callers, and those who watch, have of it. */
const EFFECTS: Readonly<Record<Server, string>> = {
  kafka:
    'nothing new is captured or scored, and other alerts neither open nor end; the gateway answers with what it has',
  elasticsearch:
    'no changes are found, scores grow old; the gateway answers as ever, and ranks the last pools that it saw',
  redis:
    'the gateway answers, degraded: callers get scores from the snapshot, or the default where it has none; what is scored meanwhile reaches Redis afterwards',
  s3: 'no snapshot is written and no model promoted; callers get scores from Redis as ever, and live scores from the model loaded last',
}
