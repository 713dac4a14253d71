/** `freshet alerts` for people. */
import type { AlertMessage } from '@freshet/records/alert-state.ts'
import type { Order } from '@freshet/records/control.ts'
import { countOf, formatSeconds } from '@freshet/watchdog/format.ts'
import { harmlessLines, table, timeOf } from '../text.ts'
import type { AlertList, ListedAlert } from './alert-list.ts'
import { alertsThatMatch } from './alert-list.ts'

export function describeAlerts(list: AlertList): string {
  const { pipeline, alerts, orders, atMs } = list
  const open = alerts.filter(({ phase }) => phase !== 'resolved')
  const over = alerts.filter(({ phase }) => phase === 'resolved')
  const lines = [
    `pipeline ${pipeline}: ${headline(list)}`,
    ...open.flatMap((alert) => describeAlert(alert, atMs)),
    ...(over.length === 0 ? [] : ['over, of the last half hour']),
    ...over.flatMap((alert) => describeAlert(alert, atMs)),
    ...(orders.length === 0 ? [] : ['orders']),
    ...describeOrders(orders, list),
    ...describeWatchdogs(list),
  ]
  return harmlessLines(lines)
}

function headline({ alerts }: AlertList): string {
  const firing = alerts.filter(({ phase }) => phase === 'firing')
  const held = firing.filter(({ heldBack, silencedBy }) => heldBack !== null || silencedBy !== null).length
  if (firing.length === 0) return 'no alert fires'
  const many = firing.length === 1 ? '1 alert fires' : `${firing.length} alerts fire`
  return held === 0 ? many : `${many}, of ${held} nobody is told`
}

function describeAlert(alert: ListedAlert, atMs: number): string[] {
  const { phase, severity, id, title, sinceMs, resolvedAtMs, flapping, untold } = alert
  const word = flapping ? 'flapping' : phase
  const since =
    phase === 'resolved'
      ? `${formatSeconds((atMs - (resolvedAtMs ?? atMs)) / 1_000)} ago`
      : `for ${formatSeconds((atMs - sinceMs) / 1_000)}`
  const why = alert.silencedBy ?? alert.heldBack
  const notes = [
    ...(why === null || phase === 'resolved' ? [] : [`nobody is told: ${why}`]),
    ...(untold ? ['the message is on its way'] : []),
  ]
  return [
    `  ${word.padEnd(8)} ${severity.padEnd(8)} ${since.padEnd(12)} ${title}`,
    `           ${[id, ...notes].join(' · ')}`,
  ]
}

function describeOrders(orders: readonly Order[], { alerts }: AlertList): string[] {
  return table(
    orders.map((order) => [
      nameOf(order, alerts),
      `until ${timeOf(order.untilMs)}`,
      `${order.by}: ${order.reason}`,
    ]),
    3,
  )
}

function nameOf(order: Order, alerts: readonly ListedAlert[]): string {
  switch (order.order) {
    case 'maintenance':
      return 'maintenance: nobody is told of anything'
    case 'trace':
      return `trace of ${order.key}`
    case 'silence': {
      const matched = alertsThatMatch(order, alerts).length
      return `silence ${order.id} of ${order.match} (now ${matched})`
    }
  }
}

function describeWatchdogs(list: AlertList): string[] {
  const unread = list.unreadable.map(({ name, error }) => `the heartbeat of ${name} cannot be read: ${error}`)
  return [...unread, describeSpeaker(list)]
}

function describeSpeaker({ watchdogs, speaker }: AlertList): string {
  if (watchdogs.length === 0)
    return 'no watchdog lives: what stands here is what the last one saw, and nobody is told'
  const others = watchdogs.filter((instance) => instance !== speaker)
  const standBy =
    others.length === 0 ? '' : `; ${others.join(', ')} stand${others.length === 1 ? 's' : ''} by`
  if (speaker === null || !watchdogs.includes(speaker)) return `no watchdog speaks yet${standBy}`
  return `${speaker} speaks${standBy}`
}

/** What people would have been told, a line a message. */
export function describeMessages(messages: readonly AlertMessage[], { looks }: { looks: number }): string {
  const lines = messages.flatMap(({ atMs, change, alerts, more }) => [
    ...alerts.map(({ finding }, at) =>
      [
        (at === 0 ? timeOf(atMs) : '').padEnd(24),
        change.padEnd(8),
        finding.severity.padEnd(8),
        `${finding.title} (${finding.id})`,
      ].join('  '),
    ),
    ...(more > 0 ? [`${''.padEnd(24)}  and ${more} more`] : []),
  ])
  const summary =
    messages.length === 0
      ? `${looks} looks, and people would have been told nothing`
      : `${looks} looks, ${countOf(messages.length, 'message')}`
  return harmlessLines([...lines, summary])
}
