import type { Facts } from '@freshet/records/facts.ts'
import type { Server } from '../../rules/rule.ts'
import { faultAt, SERVER_NAMES, SERVERS } from '../../rules/servers.ts'
import type { ServerState } from './page-state.ts'

/** Each server as the rules judge it: what is red here is an alert, or becomes one. */
export function serverStates(facts: Facts | null): ServerState[] {
  if (facts === null) return []
  return SERVERS.map((server) => {
    const fault = faultAt(facts, server)
    return {
      name: SERVER_NAMES[server],
      level: fault !== null ? 'critical' : seenAtMs(facts, server) === null ? 'unknown' : 'well',
      error: fault?.error ?? null,
      sinceMs: fault?.sinceMs ?? null,
    }
  })
}

/** When it last answered the watchdog; null: it never has. */
function seenAtMs({ kafka, capture, redis, snapshot, model }: Facts, server: Server): number | null {
  switch (server) {
    case 'kafka':
      return kafka.answersSinceMs
    case 'elasticsearch':
      return capture.seenAtMs
    case 'redis':
      return redis.seenAtMs
    case 's3':
      return snapshot.seenAtMs ?? model.seenAtMs
  }
}
