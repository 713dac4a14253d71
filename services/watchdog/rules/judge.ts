/** Facts → findings: what is wrong right now, each with a name that stays the same while it lasts. */
import { type PartitionLag, sumLag } from '@freshet/adapters/kafka/lag.ts'
import type { FreshetError } from '@freshet/errors/errors.ts'
import type { Finding } from '@freshet/records/alert-state.ts'
import type { Heartbeat } from '@freshet/records/heartbeat.ts'
import type { Judgement } from '../alerts/alerts.ts'
import { failing } from './failing.ts'

/** What one look at the pipeline saw. */
export type Facts =
  | {
      readonly kafka: 'reachable'
      readonly nowMs: number
      /** Since when Kafka answers without a break. */
      readonly answersSinceMs: number
      readonly groups: readonly GroupLag[]
      readonly instances: readonly Instance[]
      /** Rows that went to the dead letters lately, by instance. */
      readonly recentDeadRows: ReadonlyMap<string, number>
    }
  | { readonly kafka: 'unreachable'; readonly nowMs: number; readonly error: FreshetError }

export interface GroupLag {
  readonly groupId: string
  readonly topic: string
  readonly partitions: readonly PartitionLag[]
}

export interface Instance {
  /** The last word. */
  readonly heartbeat: Heartbeat
  readonly heardAtMs: number
}

export interface Thresholds {
  readonly lagSeconds: number
  readonly silentSeconds: number
}

export function judge(facts: Facts, thresholds: Thresholds): Judgement {
  if (facts.kafka === 'unreachable') return { findings: [unreachable(facts.error)], blind: true }
  const lags = facts.groups.flatMap((group) => judgeLag(group, thresholds))
  const deaf = judgeHearing(facts, thresholds)
  if (deaf.length > 0) return { findings: [...lags, ...deaf], blind: true }
  return {
    findings: [
      ...lags,
      ...judgeInstances(facts, thresholds),
      ...judgeDeadLetters(facts),
      ...judgeProof(facts),
    ],
    blind: false,
  }
}

function unreachable({ code, message }: FreshetError): Finding {
  return {
    id: 'kafka',
    kind: 'kafka-unreachable',
    title: 'Kafka cannot be read',
    details: { Error: `${code}: ${message}` },
  }
}

function judgeLag({ groupId, topic, partitions }: GroupLag, { lagSeconds }: Thresholds): Finding[] {
  const { lagRecords: records, lagSeconds: worst } = sumLag(partitions)
  if (worst <= lagSeconds) return []
  const late = partitions.filter((partition) => partition.lagSeconds > lagSeconds)
  const idle = partitions.every(({ committedOffset }) => committedOffset === null)
  return [
    {
      id: `lag/${groupId}`,
      kind: 'lag',
      title: `${groupId} is ${formatSeconds(worst)} behind`,
      details: {
        Topic: topic,
        Behind: `${formatSeconds(worst)}, ${records.toLocaleString('en-US')} records`,
        Partitions: `${late.length} of ${partitions.length}: ${late.map(({ partition }) => partition).join(', ')}`,
        ...(idle && { Commits: 'none yet' }),
      },
    },
  ]
}

type Reachable = Extract<Facts, { kafka: 'reachable' }>

/** The watchdog speaks too, so when nobody is heard it is deaf and the others may be well. */
function judgeHearing(facts: Reachable, { silentSeconds }: Thresholds): Finding[] {
  const silentMs = facts.nowMs - Math.max(facts.answersSinceMs, lastHeardAtMs(facts))
  if (silentMs <= silentSeconds * 1000) return []
  return [
    {
      id: 'heartbeats',
      kind: 'kafka-unreachable',
      title: 'no heartbeat is heard, not even the watchdog’s own',
      details: { Silence: formatSeconds(silentMs / 1000) },
    },
  ]
}

function lastHeardAtMs({ instances }: Reachable): number {
  return Math.max(0, ...instances.map(({ heardAtMs }) => heardAtMs))
}

/** An instance that is gone is no finding once another one of its service has started in its place. */
function judgeInstances(facts: Reachable, { silentSeconds }: Thresholds): Finding[] {
  const listenedUntilMs = lastHeardAtMs(facts)
  const isSilent = ({ heardAtMs }: Instance) =>
    listenedUntilMs - Math.max(heardAtMs, facts.answersSinceMs) > silentSeconds * 1000
  const gone = facts.instances
    .filter(({ heartbeat }) => heartbeat.status !== 'stopping')
    .filter((instance) => instance.heartbeat.status === 'failing' || isSilent(instance))
  const missed = withoutSuccessor(gone, facts.instances)
  const failed = missed.filter(({ heartbeat }) => heartbeat.status === 'failing')
  const services = new Set(failed.map(({ heartbeat }) => heartbeat.service))
  return [
    ...[...services].map((service) =>
      failing(
        service,
        failed.map(({ heartbeat }) => heartbeat).filter((heartbeat) => heartbeat.service === service),
      ),
    ),
    ...missed
      .filter(({ heartbeat }) => heartbeat.status !== 'failing')
      .map((instance) => silent(instance, facts.nowMs)),
  ]
}

/** Each successor stands for one that is gone, so three that died are not made good by one that came. */
export function withoutSuccessor(gone: readonly Instance[], all: readonly Instance[]): readonly Instance[] {
  const successors = all.toSorted((a, b) => a.heartbeat.startedAtMs - b.heartbeat.startedAtMs)
  return gone
    .toSorted((a, b) => a.heardAtMs - b.heardAtMs)
    .filter((instance) => !takeSuccessor(successors, instance))
}

function takeSuccessor(candidates: Instance[], gone: Instance): boolean {
  const at = candidates.findIndex(
    (candidate) =>
      candidate !== gone &&
      candidate.heartbeat.service === gone.heartbeat.service &&
      candidate.heartbeat.startedAtMs >= gone.heartbeat.atMs,
  )
  if (at >= 0) candidates.splice(at, 1)
  return at >= 0
}

function silent({ heartbeat, heardAtMs }: Instance, nowMs: number): Finding {
  const { service, instance, lastError } = heartbeat
  return {
    id: `silent/${instance}`,
    kind: 'silent',
    title: `${instance} has been silent for ${formatSeconds((nowMs - heardAtMs) / 1000)}`,
    details: { Service: service, ...(lastError !== null && { 'Last error': lastError }) },
  }
}

function judgeDeadLetters({ recentDeadRows }: Reachable): Finding[] {
  const rows = [...recentDeadRows.values()].reduce((sum, count) => sum + count, 0)
  if (rows === 0) return []
  return [
    {
      id: 'dead-letters',
      kind: 'dead-letters',
      title: `${rows.toLocaleString('en-US')} ${rows === 1 ? 'change' : 'changes'} could not be scored`,
      details: { Instances: [...recentDeadRows.keys()].join(', ') },
    },
  ]
}

/** What the last run of `freshet verify --watch` found; one that was stopped has no say any more. */
function judgeProof({ instances }: Reachable): Finding[] {
  const proofs = instances
    .filter(({ heartbeat }) => heartbeat.service === 'verify' && heartbeat.status !== 'stopping')
    .filter(({ heartbeat }) => (heartbeat.metrics['freshet.verify.ended'] ?? 0) > 0)
    .toSorted((a, b) => a.heardAtMs - b.heardAtMs)
  const last = proofs.at(-1)?.heartbeat
  if (last === undefined) return []
  const [missing, stale, extra, live] = (['missing', 'stale', 'extra', 'live'] as const).map(
    (name) => last.metrics[`freshet.verify.${name}`] ?? 0,
  ) as [number, number, number, number]
  const wrong = missing + stale + extra
  if (wrong === 0) return []
  return [
    {
      id: 'incomplete',
      kind: 'incomplete',
      title: `${wrong.toLocaleString('en-US')} ${wrong === 1 ? 'score is' : 'scores are'} missing, stale or extra`,
      details: {
        Missing: missing.toLocaleString('en-US'),
        Stale: stale.toLocaleString('en-US'),
        Extra: extra.toLocaleString('en-US'),
        'Living documents': live.toLocaleString('en-US'),
        'Found by': last.instance,
      },
    },
  ]
}

/** `42 s`, `7 min`, `3 h`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return `${Math.round(seconds / 3_600)} h`
}
