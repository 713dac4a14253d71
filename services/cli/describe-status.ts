/** `freshet status` for people. */
import type { sumLag } from '@freshet/adapters/kafka/lag.ts'
import type { Settings } from '@freshet/config/schema.ts'
import type { UnreadableHeartbeat } from '@freshet/records/last-heartbeats.ts'
import type { WorkerGroup } from '@freshet/records/topics.ts'
import type { MetricName } from '@freshet/telemetry/metrics-table.ts'
import { countOf, formatSeconds } from '@freshet/watchdog/format.ts'
import type { ListedInstance } from '@freshet/watchdog/page/view/listed-instances.ts'
import { harmlessLines } from './text.ts'

export interface Status {
  readonly pipeline: string
  readonly mode: Settings['elasticsearch']['mode']
  readonly atMs: number
  readonly instances: readonly ListedInstance[]
  /** Those whose last heartbeat this build cannot read. */
  readonly unreadable: readonly UnreadableHeartbeat[]
  readonly groups: readonly (WorkerGroup & ReturnType<typeof sumLag>)[]
}

export function describeStatus(status: Status): string {
  const { pipeline, instances, unreadable, groups } = status
  const lines = [
    `pipeline ${pipeline}`,
    ...instances.flatMap((instance) => describeInstance(instance, status)),
    ...unreadable.map(({ name, error }) => `  ${name}: its heartbeat cannot be read: ${error}`),
    ...(instances.length + unreadable.length === 0 ? ['  no instance runs: `freshet run all`'] : []),
    ...groups.map(
      ({ groupId, topic, lagRecords, lagSeconds }) =>
        `  ${groupId.padEnd(18)} ${countOf(lagRecords, 'record')}, ${lagSeconds.toFixed(1)} s behind on ${topic}`,
    ),
  ]
  return harmlessLines(lines)
}

function describeInstance(listed: ListedInstance, { mode, atMs }: Status): string[] {
  const { instance, service, status, silentSeconds, progress, model, failing = [] } = listed
  const { lastError, lastErrorAtMs } = listed
  const done = [
    ...Object.entries(progress).map(([stage, units]) => `${stage} ${units}`),
    ...(model === null ? [] : [`model ${model}`]),
  ]
  const first = `${instance.padEnd(18)} ${status.padEnd(9)} heard ${silentSeconds} s ago  ${done.join('  ')}`
  const when = lastErrorAtMs === null ? '' : `, ${age(atMs - lastErrorAtMs)} ago`
  return [
    `  ${first.trimEnd()}`,
    ...describeReplaced(listed, atMs),
    ...(service === 'poller' ? describeCapture(listed, { mode, atMs }) : []),
    ...(service === 'scorer' ? [...describeRefill(listed), ...describeRescoring(listed, atMs)] : []),
    ...(service === 'watchdog' ? describeGivenUp(listed) : []),
    ...(failing.length > 1
      ? failing.map(({ worker, error, atMs: at }) => `    ${worker} fails, ${age(atMs - at)} ago: ${error}`)
      : []),
    ...(lastError === null || failing.length > 1 ? [] : [`    last error${when}: ${lastError}`]),
  ]
}

/** A crash is seen for as long as someone may ask what happened, though its instance is listed no more. */
function describeReplaced({ replaces, startedAtMs }: ListedInstance, atMs: number): string[] {
  if (replaces === undefined || atMs - startedAtMs > REPLACED_SHOWN_MS) return []
  const { instances, ended } = replaces
  const before = instances.length === 1 ? '' : `, the last of ${instances.length}`
  return [`    started again ${age(atMs - startedAtMs)} ago: the one before ended with ${ended}${before}`]
}

const REPLACED_SHOWN_MS = 3_600_000

/** How far capture is behind Elasticsearch; by timestamps nobody can tell. */
function describeCapture(
  { metrics }: ListedInstance,
  { mode, atMs }: Pick<Status, 'mode' | 'atMs'>,
): string[] {
  const figure = (name: MetricName) => metrics[name] ?? 0
  const troubles = TROUBLES.filter(([name]) => figure(name) > 0).map(
    ([name, what]) => `${figure(name)} ${what}`,
  )
  const shards = figure('freshet.poller.shards')
  if (mode === 'timestamp') return [`    ${[countOf(shards, 'index', 'indices'), ...troubles].join('; ')}`]
  const behind = `${countOf(shards, 'shard')}, ${countOf(figure('freshet.poller.behind'), 'document')} behind Elasticsearch`
  return [
    `    ${[behind, ...troubles].join('; ')}`,
    ...(shards === 0 ? [] : [`    deletes: ${describeSweeps(figure, atMs)}`]),
  ]
}

/** How far this scorer is in bringing all scores back to Redis; nothing while Redis has them. */
function describeRefill({ status, metrics }: ListedInstance): string[] {
  const left = metrics['freshet.cache.refill_left' satisfies MetricName] ?? 0
  return left === 0 || status !== 'running' ? [] : [`    refilling Redis: ${countOf(left, 'row')} to come`]
}

/** Messages that no way to people has taken. */
function describeGivenUp({ metrics }: ListedInstance): string[] {
  const givenUp = metrics['freshet.alerts.given_up' satisfies MetricName] ?? 0
  return givenUp === 0 ? [] : [`    ${countOf(givenUp, 'message')} reached nobody: see its log`]
}

/** How far all scorers together are with a newly promoted model; nothing while there is nothing to be scored again. */
function describeRescoring({ status, metrics }: ListedInstance, atMs: number): string[] {
  const figure = (name: MetricName) => metrics[name] ?? 0
  const left = figure('freshet.rescore.left')
  if (left === 0 || status !== 'running') return [] // what a dead one said last is said anew by the others
  const total = figure('freshet.rescore.total')
  const share = Math.floor((100 * (total - left)) / total)
  const beganAtMs = figure('freshet.rescore.began_at') * 1_000
  const since = beganAtMs === 0 ? 'not begun' : `began ${age(atMs - beganAtMs)} ago`
  return [
    `    scoring again with promotion ${figure('freshet.rescore.generation')}: ${share} % of ${countOf(total, 'change')}, ${since}, ${countOf(figure('freshet.rescore.rows'), 'row')} by this scorer`,
  ]
}

const TROUBLES = [
  ['freshet.poller.unreadable', 'shards cannot be read'],
  ['freshet.poller.closed', 'indices closed'],
  ['freshet.poller.gone', 'indices gone'],
  ['freshet.poller.refused', 'indices cannot be captured'],
] as const satisfies readonly [MetricName, string][]

function describeSweeps(figure: (name: MetricName) => number, atMs: number): string {
  const sweptAtMs = figure('freshet.sweep.swept_at') * 1_000
  const last = sweptAtMs === 0 ? 'no final sweep yet' : `last final sweep ${age(atMs - sweptAtMs)} ago`
  const due = figure('freshet.sweep.due')
  return due === 0 ? last : `${last}, ${countOf(due, 'shard')} due`
}

function age(ms: number): string {
  return formatSeconds(ms / 1_000)
}
