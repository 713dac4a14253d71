/** What `freshet alerts list` shows. */
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import type { Settings } from '@freshet/config/schema.ts'
import type { Alert, FindingKind, Severity } from '@freshet/records/alert-state.ts'
import type { Order, Silence } from '@freshet/records/control.ts'
import { type Heartbeat, heartbeatRecord, isHeartbeatKey } from '@freshet/records/heartbeat.ts'
import { topicName } from '@freshet/records/topics.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import type { ControlView } from '@freshet/watchdog/alerts/control-view.ts'
import { matches, silencedBy } from '@freshet/watchdog/alerts/silences.ts'
import { readControl } from './control-topic.ts'

export interface ListedAlert {
  readonly id: string
  readonly kind: FindingKind
  readonly severity: Severity
  readonly phase: Alert['phase']
  readonly title: string
  readonly sinceMs: number
  /** null: it is not over. */
  readonly resolvedAtMs: number | null
  readonly flapping: boolean
  /** When people were last told that it is there; null: for all they know it is not. */
  readonly toldAtMs: number | null
  /** The order that keeps people from hearing of it now; null where there is none. */
  readonly silencedBy: string | null
  /** Why the last message about it was not sent; null where it was, or none was due. */
  readonly heldBack: string | null
  /** Whether a message about it waits to be sent. */
  readonly untold: boolean
  readonly details: Readonly<Record<string, string>>
  readonly runbook: string
}

export interface AlertList {
  readonly pipeline: string
  readonly atMs: number
  /** The gravest first; what is over stands last. */
  readonly alerts: readonly ListedAlert[]
  /** In force now: silences, maintenance, traces. */
  readonly orders: readonly Order[]
  /** Instances that live. */
  readonly watchdogs: readonly string[]
  /** The one that took over last; null: none has yet. */
  readonly speaker: string | null
}

const PHASES = { firing: 0, pending: 1, resolved: 2 } as const
const GRAVITY = { critical: 0, warning: 1 } as const

export function listAlerts(
  view: Pick<ControlView, 'orders' | 'state' | 'speaker'>,
  heartbeats: readonly Heartbeat[],
  { pipeline, nowMs, silentSeconds }: { pipeline: string; nowMs: number; silentSeconds: number },
): AlertList {
  const orders = view.orders.inForce(nowMs)
  const { alerts = [], untold = [] } = view.state() ?? {}
  const waiting = new Set(untold.flatMap((message) => message.alerts.map(({ finding }) => finding.id)))
  return {
    pipeline,
    atMs: nowMs,
    alerts: alerts
      .map((alert) => toListed(alert, orders, waiting))
      .sort(
        (a, b) =>
          PHASES[a.phase] - PHASES[b.phase] ||
          GRAVITY[a.severity] - GRAVITY[b.severity] ||
          a.sinceMs - b.sinceMs,
      ),
    orders,
    watchdogs: heartbeats
      .filter(({ service, status }) => service === 'watchdog' && status !== 'stopping')
      .filter(({ atMs }) => nowMs - atMs <= silentSeconds * 1000)
      .map(({ instance }) => instance),
    speaker: view.speaker() ?? null,
  }
}

function toListed(alert: Alert, orders: readonly Order[], waiting: ReadonlySet<string>): ListedAlert {
  const { phase, finding, sinceMs, flapping, toldAtMs, heldBack } = alert
  const { id, kind, severity, title, details, runbook = kind } = finding
  return {
    ...{ id, kind, severity, phase, title, sinceMs, flapping, toldAtMs, heldBack, details, runbook },
    resolvedAtMs: phase === 'resolved' ? alert.resolvedAtMs : null,
    silencedBy: silencedBy(orders, finding),
    untold: waiting.has(id),
  }
}

/** Open ones that a silence is about. */
export function alertsThatMatch(
  { match }: Pick<Silence, 'match'>,
  alerts: readonly ListedAlert[],
): readonly ListedAlert[] {
  return alerts.filter((alert) => alert.phase !== 'resolved' && matches(match, alert))
}

/** @throws TOPIC_MISSING, KAFKA_UNREACHABLE, DEADLINE */
export async function readAlertList(settings: Settings, signal: AbortSignal): Promise<AlertList> {
  const { kafka, pipeline, watchdog } = settings
  const connection = connectKafka(kafka, { clientId: 'freshet-alerts', log: quietLog })
  const latest = new Map<string, Heartbeat>()
  const [view] = await Promise.all([
    readControl(settings, signal),
    readAll(connection, topicName(pipeline, 'heartbeats'), {
      deadlineMs: READ_WITHIN_MS,
      signal,
      onMessage: (_, { key, value }) => {
        if (key?.toString().startsWith('watchdog/') && value !== null && isHeartbeatKey(key.toString()))
          latest.set(key.toString(), heartbeatRecord.decode(value))
      },
    }),
  ])
  const silentSeconds = watchdog.rules.silent.threshold ?? DEFAULT_SILENT_SECONDS
  return listAlerts(view, [...latest.values()], { pipeline, nowMs: systemClock.nowMs(), silentSeconds })
}

const READ_WITHIN_MS = 20_000
const DEFAULT_SILENT_SECONDS = 30
