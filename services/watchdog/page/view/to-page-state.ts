/** What is known of a pipeline → what its page shows. Pure: the short memory for the sparklines is handed in. */
import { sumLag } from '@freshet/adapters/kafka/lag.ts'
import { silentSecondsOf } from '@freshet/config/alert-rules.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { dashboardLink, kibanaForPeople, sessionLink } from '@freshet/kibana/links.ts'
import type { Alert } from '@freshet/records/alert-state.ts'
import type { Order } from '@freshet/records/control.ts'
import type { Facts } from '@freshet/records/facts.ts'
import { readingOf } from '../../routes/reading-links.ts'
import { alertStates } from './alert-states.ts'
import { captureState } from './capture-state.ts'
import type { GaugeHistory } from './gauge-history.ts'
import { instanceState } from './instance-state.ts'
import { modelState } from './model-state.ts'
import type { GroupState, OrdersState, PageState } from './page-state.ts'
import { Seen } from './seen.ts'
import { serverStates } from './server-states.ts'
import { stageStates } from './stage-states.ts'
import { gatewayState, snapshotState } from './store-states.ts'
import { verdictOf } from './verdict.ts'

/** Ten minutes. */
export const HISTORY = { bucketSeconds: 5, buckets: 120 } as const
/** Links open on the hour before. */
const LINK_MS = 3_600_000

export interface PageInput {
  readonly settings: Pick<Settings, 'pipeline' | 'watchdog' | 'kibana' | 'elasticsearch'>
  /** Who draws the picture, and whether it is the one that tells people; null where that is not known. */
  readonly watcher: { readonly instance: string; readonly speaks: boolean | null }
  readonly nowMs: number
  /** null before the first look. */
  readonly facts: Facts | null
  readonly alerts: readonly Alert[]
  readonly orders: readonly Order[]
  /** Gets what is seen now, and gives what was seen before. */
  readonly gauges: GaugeHistory
}

export function toPageState(input: PageInput): PageState {
  const { settings, watcher, nowMs, facts, alerts, orders, gauges } = input
  const seen = new Seen(facts, { nowMs, silentSeconds: silentSecondsOf(settings) })
  const { stages, freshness } = stageStates({ facts, seen, alerts, gauges, nowMs })
  return {
    version: 1,
    pipeline: settings.pipeline,
    atMs: nowMs,
    intervalSeconds: settings.watchdog.intervalSeconds,
    watchdog: { ...watcher, watchdogs: seen.living('watchdog').length },
    verdict: verdictOf(facts, seen.listed, alerts, isJudged(watcher, seen)),
    history: HISTORY,
    stages,
    freshness,
    alerts: alertStates(alerts, readingOf(settings), nowMs),
    orders: ordersState(orders, nowMs),
    unseen: unseenOf(facts),
    capture: captureState(facts, seen, settings.elasticsearch.mode),
    groups: groupStates(facts),
    model: modelState(facts, seen, settings.watchdog.rules.drift),
    snapshot: snapshotState(facts, seen),
    gateway: gatewayState(seen),
    servers: serverStates(facts),
    instances: seen.listed.map((instance) => instanceState(instance, nowMs)),
    links: linksOf(settings, nowMs),
  }
}

/** Whoever listens only believes that another one speaks: that one may be gone. */
function isJudged({ instance, speaks }: PageInput['watcher'], seen: Seen): boolean {
  if (speaks !== false) return speaks === true
  return seen.living('watchdog').some(({ heartbeat }) => heartbeat.instance !== instance)
}

function ordersState(orders: readonly Order[], nowMs: number): OrdersState {
  const now = orders.filter(({ untilMs }) => untilMs > nowMs)
  return {
    maintenance: now.find(({ order }) => order === 'maintenance') ?? null,
    silences: now.filter((order) => order.order === 'silence'),
    traces: now.filter((order) => order.order === 'trace'),
  }
}

function unseenOf(facts: Facts | null): PageState['unseen'] {
  if (facts === null) return []
  const sights = {
    'the shards in Elasticsearch': facts.capture,
    'the manifest in S3': facts.snapshot,
    'the promoted model in S3': facts.model,
    Redis: facts.redis,
    Kafka: facts.kafka,
  }
  return Object.entries(sights).flatMap(([what, { fault }]) => (fault === null ? [] : [{ what, ...fault }]))
}

function groupStates(facts: Facts | null): GroupState[] {
  return (facts?.groups ?? []).map(({ groupId, worker, topic, members, partitions }) => {
    const { lagRecords, lagSeconds } = sumLag(partitions)
    const usualSeconds = worker === 'snapshot' ? (facts?.snapshotIntervalSeconds ?? 0) : 0
    return {
      groupId,
      worker,
      topic,
      members,
      waiting: lagRecords,
      behindSeconds: lagSeconds,
      partitions: partitions.map((each) => ({
        partition: each.partition,
        committedOffset: each.committedOffset,
        endOffset: each.endOffset,
        waiting: each.lagRecords,
        behindSeconds: each.lagSeconds,
        heat: heatOf(each, usualSeconds),
      })),
    }
  })
}

/** @param usualSeconds how long things wait there when all is well, such as for the next snapshot */
function heatOf(
  { lagRecords, lagSeconds }: Facts['groups'][number]['partitions'][number],
  usualSeconds: number,
): number {
  if (lagRecords === 0) return 0
  return 1 + [1, 10, 60].filter((seconds) => lagSeconds - usualSeconds > seconds).length
}

function linksOf(settings: PageInput['settings'], nowMs: number): PageState['links'] {
  const kibana = kibanaForPeople(settings)
  if (kibana === undefined) return []
  const lately = { fromMs: nowMs - LINK_MS, toMs: 'now' } as const
  return [
    { title: 'Dashboard in Kibana', url: dashboardLink(kibana, lately) },
    { title: 'Slow requests', url: sessionLink(kibana, 'slowRequests', lately) },
    { title: 'Failed documents', url: sessionLink(kibana, 'failedDocuments', lately) },
  ]
}
