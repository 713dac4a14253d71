import type { Alert, AlertState, Finding } from '@freshet/records/alert-state.ts'
import { controlKey, type Order, Orders, orderRecord } from '@freshet/records/control.ts'
import type { Heartbeat } from '@freshet/records/heartbeat.ts'
import type { UnreadableHeartbeat } from '@freshet/records/last-heartbeats.ts'
import { expect, test } from 'vitest'
import { listAlerts } from './alert-list.ts'
import { describeAlerts } from './describe-alerts.ts'

const NOW_MS = 1_764_100_000_000
const MINUTE_MS = 60_000

const finding = (id: string, more: Partial<Finding> = {}): Finding => ({
  ...{ id, kind: 'lag', severity: 'critical', forSeconds: 10, title: `${id} is late`, details: {} },
  ...more,
})
const kept = { measures: [], openings: [], flapping: false, toldAtMs: null, heldBack: null }
const firing = (id: string, more: Partial<Alert> = {}): Alert =>
  ({
    ...{ phase: 'firing', finding: finding(id), sinceMs: NOW_MS - 5 * MINUTE_MS, goodSinceMs: null, ...kept },
    ...more,
  }) as Alert

const stamp = {
  version: 1,
  by: 'anna',
  reason: 'disk',
  atMs: NOW_MS - 1,
  untilMs: NOW_MS + MINUTE_MS,
} as const

function list(
  alerts: readonly Alert[],
  orders: readonly Order[] = [],
  heartbeats: readonly Heartbeat[] = [],
  unreadable: readonly UnreadableHeartbeat[] = [],
) {
  const view = {
    orders: new Orders(),
    state: (): AlertState => ({
      ...{ version: 2, term: 3, writer: 'watchdog-1', lookedAtMs: NOW_MS, alerts: [...alerts], untold: [] },
    }),
    speaker: () => 'watchdog-1',
  }
  for (const order of orders) view.orders.hear(controlKey(order), Buffer.from(orderRecord.encode(order)))
  return listAlerts(
    view,
    { heard: heartbeats.map((heartbeat) => ({ heartbeat, heardAtMs: heartbeat.atMs })), unreadable },
    { pipeline: 'air', nowMs: NOW_MS, silentSeconds: 30 },
  )
}

function watchdog(instance: string, atMs: number): Heartbeat {
  return {
    ...{ version: 1, service: 'watchdog', instance, startedAtMs: 0, atMs, status: 'running', progress: {} },
    ...{ metrics: {}, model: null, lastError: null, lastErrorAtMs: null },
  }
}

test('what fires stands first, what is silenced too, with why nobody is told, and what it costs to know that', () => {
  const silence: Order = { order: 'silence', ...stamp, id: '3f2a', match: 'lag/b*' }
  const over = { ...firing('c'), phase: 'resolved', resolvedAtMs: NOW_MS - 7 * MINUTE_MS } as Alert
  const alerts = [over, firing('lag/b', { heldBack: 'silence 3f2a' }), firing('lag/a', { toldAtMs: 1 })]
  const living = [watchdog('watchdog-1', NOW_MS - 1_000), watchdog('watchdog-2', NOW_MS - 31_000)]
  const listed = list(alerts, [silence], living)
  expect(listed.alerts.map(({ id, silencedBy }) => ({ id, silencedBy }))).toEqual([
    { id: 'lag/b', silencedBy: 'silence 3f2a' },
    { id: 'lag/a', silencedBy: null },
    { id: 'c', silencedBy: null },
  ])
  expect(describeAlerts(listed)).toBe(
    [
      'pipeline air: 2 alerts fire, of 1 nobody is told',
      '  firing   critical for 5 min    lag/b is late',
      '           lag/b · nobody is told: silence 3f2a',
      '  firing   critical for 5 min    lag/a is late',
      '           lag/a',
      'over, of the last half hour',
      '  resolved critical 7 min ago    c is late',
      '           c',
      'orders',
      '  silence 3f2a of lag/b* (now 1)  until 2025-11-25T19:47:40.000Z  anna: disk',
      'watchdog-1 speaks',
      '',
    ].join('\n'),
  )
})

test('where no watchdog lives it is said that the list is old', () => {
  expect(describeAlerts(list([]))).toContain('no watchdog lives')
  expect(list([], [], [watchdog('watchdog-2', NOW_MS)]).watchdogs).toEqual(['watchdog-2'])
  expect(describeAlerts(list([], [], [watchdog('watchdog-2', NOW_MS)]))).toContain(
    'no watchdog speaks yet; watchdog-2 stands by',
  )
})

test('a watchdog whose heartbeat cannot be read is named, and the others still count', () => {
  const unreadable = ['watchdog/w2', 'scorer/s1'].map((name) => ({ name, error: 'RECORD_VERSION: newer' }))
  const text = describeAlerts(list([], [], [watchdog('watchdog-1', NOW_MS)], unreadable))
  expect(text).toContain('the heartbeat of watchdog/w2 cannot be read: RECORD_VERSION')
  expect(text).toContain('watchdog-1 speaks')
  expect(text).not.toContain('scorer/s1')
})
