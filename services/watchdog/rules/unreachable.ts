import { ERRORS, type ErrorCode } from '@freshet/errors/errors.ts'
import type { Facts, InstanceFacts } from '@freshet/records/facts.ts'
import { listed } from '@freshet/stage/listed.ts'
import { formatSeconds } from '../format.ts'
import { notKnownToBeHeard, unheard } from './hearing.ts'
import { codeOf, faultsOf, lastHeardAtMs } from './living.ts'
import type { Rule, Scene, Server, Symptom } from './rule.ts'
import { faultAt, isNoAnswer, SERVER_NAMES, SERVERS, serverOf } from './servers.ts'

/** Who complained so long ago and said nothing since is no witness. */
const WITNESS_SECONDS = 30

/** A server that is away is told once, by its name, whoever else stands still for it. */
export const unreachable: Rule = {
  name: 'unreachable',
  find: (scene) => [...SERVERS.flatMap((server) => judge(server, scene) ?? []), ...unheard(scene.now)],
  notKnown: ({ now }) => notKnownToBeHeard(now),
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
