import type { Alert, FindingKind } from '@freshet/records/alert-state.ts'
import type { Facts } from '@freshet/records/facts.ts'
import type { StageName } from './page-state.ts'
import type { Seen } from './seen.ts'

/** Which service does the work of a stage. */
export const SERVICES: Readonly<Record<StageName, string>> = {
  capture: 'poller',
  infer: 'scorer',
  cache: 'scorer',
  snapshot: 'scorer',
  gateway: 'gateway',
}

/** Where trouble of a kind is, when nothing in it says more. */
const STAGES_OF_KIND: Readonly<Partial<Record<FindingKind, readonly StageName[]>>> = {
  'capture-behind': ['capture'],
  'snapshot-stale': ['snapshot'],
  'fallback-ratio': ['gateway'],
  'deadline-misses': ['gateway'],
  'requests-refused': ['gateway'],
  'model-refused': ['infer'],
  drift: ['infer'],
  'dead-letters': ['infer'],
}

/** What stands still or has gone back, where it is no consumer group. */
const STAGES_OF_PLACE: Readonly<Record<string, readonly StageName[]>> = {
  capture: ['capture'],
  snapshot: ['snapshot'],
}

/** Where it is felt that a server is away. */
const STAGES_OF_SERVER: Readonly<Record<string, readonly StageName[]>> = {
  elasticsearch: ['capture'],
  kafka: ['capture', 'infer', 'cache', 'snapshot'],
  redis: ['cache', 'gateway'],
  s3: ['snapshot'],
}

/** The stage that a worker of a service belongs to, as heartbeats name workers. */
const STAGE_OF_WORKER: Readonly<Record<string, StageName>> = {
  'scorer/infer': 'infer',
  'scorer/model': 'infer',
  'scorer/rescore': 'infer',
  'scorer/cache': 'cache',
  'scorer/refill': 'cache',
  'scorer/snapshot': 'snapshot',
}

/** Those of the alerts that are about a stage. */
export function alertsOfStage(
  stage: StageName,
  alerts: readonly Alert[],
  { groups, seen }: { groups: Facts['groups']; seen: Seen },
): readonly Alert[] {
  return alerts.filter(({ finding }) => stagesOf(finding, groups, seen).includes(stage))
}

function stagesOf({ id, kind }: Alert['finding'], groups: Facts['groups'], seen: Seen): readonly StageName[] {
  const [, what = ''] = /^[^/]*\/(.*)$/.exec(id) ?? []
  const group = groups.find(({ groupId }) => what === groupId || what.startsWith(`${groupId}/`))
  if (group !== undefined) return [group.worker as StageName]
  if (kind === 'stall' || kind === 'rewind') return STAGES_OF_PLACE[what] ?? []
  if (kind === 'unreachable') return STAGES_OF_SERVER[what] ?? []
  if (kind === 'failing') return failingStages(what, seen)
  if (kind === 'silent') return ofService(seen.listed.find(({ instance }) => instance === what)?.service)
  return STAGES_OF_KIND[kind] ?? []
}

/** A scorer whose snapshot worker fails goes on scoring. */
function failingStages(service: string, seen: Seen): readonly StageName[] {
  const workers = seen
    .living(service)
    .flatMap(({ heartbeat }) => heartbeat.failing ?? [])
    .map(({ worker }) => STAGE_OF_WORKER[`${service}/${worker}`])
  const known = workers.filter((stage) => stage !== undefined)
  return known.length > 0 && known.length === workers.length ? known : ofService(service)
}

function ofService(service: string | undefined): readonly StageName[] {
  return (Object.keys(SERVICES) as StageName[]).filter((stage) => SERVICES[stage] === service)
}
