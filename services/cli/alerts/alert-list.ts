/** What `freshet alerts list` shows. */
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { readHeartbeats } from '@freshet/adapters/kafka/read-heartbeats.ts'
import { silentSecondsOf } from '@freshet/config/alert-rules.ts'
import type { Settings } from '@freshet/config/schema.ts'
import type { Alert, FindingKind, Severity } from '@freshet/records/alert-state.ts'
import type { Order, Silence } from '@freshet/records/control.ts'
import type { LastHeartbeats, UnreadableHeartbeat } from '@freshet/records/last-heartbeats.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { byGravity } from '@freshet/watchdog/alerts/by-gravity.ts'
import type { ControlView } from '@freshet/watchdog/alerts/control-view.ts'
import { matches, silencedBy } from '@freshet/watchdog/alerts/silences.ts'
import { livingWatchdogs } from '../living-watchdogs.ts'
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
  /** Watchdogs whose last heartbeat this build cannot read: they may live. */
  readonly unreadable: readonly UnreadableHeartbeat[]
  /** The one that took over last; null: none has yet. */
  readonly speaker: string | null
}

export function listAlerts(
  view: Pick<ControlView, 'orders' | 'state' | 'speaker'>,
  { heard, unreadable }: Pick<LastHeartbeats, 'heard' | 'unreadable'>,
  { pipeline, nowMs, silentSeconds }: { pipeline: string; nowMs: number; silentSeconds: number },
): AlertList {
  const orders = view.orders.inForce(nowMs)
  const { alerts = [], untold = [] } = view.state() ?? {}
  const waiting = new Set(untold.flatMap((message) => message.alerts.map(({ finding }) => finding.id)))
  return {
    pipeline,
    atMs: nowMs,
    alerts: alerts.toSorted(byGravity).map((alert) => toListed(alert, orders, waiting)),
    orders,
    watchdogs: livingWatchdogs(heard, { nowMs, silentSeconds }),
    unreadable: unreadable.filter(({ name }) => name.startsWith('watchdog/')),
    speaker: view.speaker() ?? null,
  }
}

function toListed(alert: Alert, orders: readonly Order[], waiting: ReadonlySet<string>): ListedAlert {
  const { phase, finding, sinceMs, flapping, toldAtMs, heldBack } = alert
  const { id, kind, severity, title, details } = finding
  return {
    ...{ id, kind, severity, phase, title, sinceMs, flapping, toldAtMs, heldBack, details },
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
  const { kafka, pipeline } = settings
  const connection = connectKafka(kafka, { clientId: 'freshet-alerts', log: quietLog })
  const [view, said] = await Promise.all([
    readControl(settings, signal),
    readHeartbeats(connection, pipeline, { deadlineMs: READ_WITHIN_MS, signal }),
  ])
  const silentSeconds = silentSecondsOf(settings)
  return listAlerts(view, said, { pipeline, nowMs: systemClock.nowMs(), silentSeconds })
}

const READ_WITHIN_MS = 20_000
