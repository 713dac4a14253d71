import { findFault } from '@freshet/demo/slack-rules.ts'
import type { Alert } from '@freshet/records/alert-state.ts'
import type { Order } from '@freshet/records/control.ts'
import type { Facts } from '@freshet/records/facts.ts'
import { handClock } from '@freshet/stage/clock.kit.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test } from 'vitest'
import { facts, group, instance, partition } from '../../rules/facts.kit.ts'
import { slackMessage } from '../formats/slack-blocks.ts'
import { CONTEXT, lagFinding } from '../notice.kit.ts'
import type { Notice } from '../notice.ts'
import { type DailyOptions, tellDaily } from './daily-loop.ts'
import { type Day, dailyNotice } from './daily-notice.ts'
import { DayTally } from './day-figures.ts'

const MORNING_MS = Date.UTC(2026, 10, 30, 9)
const HOUR_MS = 3_600_000

/** What was counted, at the end of these looks. */
function tallied(...looks: Facts[]) {
  const tally = new DayTally(MORNING_MS - 24 * HOUR_MS)
  for (const look of looks) tally.looked(look)
  return tally.figures(MORNING_MS)
}

function look(
  ...heartbeats: { name: string; metrics: Record<string, number>; startedAtMs?: number }[]
): Facts {
  return facts({
    instances: heartbeats.map(({ name, metrics, startedAtMs = 0 }) =>
      instance(name, { metrics, startedAtMs }),
    ),
  })
}

const scored = (count: number) => ({ 'freshet.scorer.scored': count })

test('the figures of a day are what was counted since it began, by whoever has run, restarts included', () => {
  const began = MORNING_MS - 12 * HOUR_MS
  const { counts } = tallied(
    look({ name: 'scorer-1', metrics: scored(1_000) }),
    look(
      { name: 'scorer-1', metrics: scored(1_500) },
      { name: 'scorer-2', metrics: scored(40), startedAtMs: began },
    ),
    look({ name: 'scorer-2', metrics: scored(70), startedAtMs: began }),
    look({ name: 'scorer-2', metrics: scored(5), startedAtMs: began + HOUR_MS }),
  )
  expect(counts['freshet.scorer.scored']).toBe(500 + 70 + 5)
})

test('a day begins anew when its line was told', () => {
  const tally = new DayTally(0)
  tally.looked(look({ name: 'scorer-1', metrics: scored(10) }))
  tally.looked(look({ name: 'scorer-1', metrics: scored(30) }))
  tally.startAnew(HOUR_MS)
  tally.looked(look({ name: 'scorer-1', metrics: scored(31) }))
  expect(tally.figures(2 * HOUR_MS)).toMatchObject({ fromMs: HOUR_MS, counts: scored(1) })
})

test('freshness and lag are told with the worst of the day', () => {
  const fresh = (p50: number, p99: number) => ({
    'freshet.cache.freshness.p50': p50,
    'freshet.cache.freshness.p99': p99,
  })
  const late = partition({ lagSeconds: 42 })
  const figures = tallied(
    {
      ...look({ name: 'scorer-1', metrics: fresh(0.2, 9) }),
      groups: [group('infer', { partitions: [late] })],
      atMs: 7,
    },
    { ...look({ name: 'scorer-1', metrics: fresh(0.3, 0.9) }), groups: [group('infer')], atMs: 8 },
  )
  expect(figures).toMatchObject({
    freshness: { p50Seconds: 0.3, p99Seconds: 0.9 },
    worstFreshness: { seconds: 9, atMs: 7 },
    worstLag: { seconds: 42, atMs: 7, groupId: 'air-infer' },
  })
})

function day(worse: Partial<Day> = {}): Day {
  const counts = {
    ...tallied().counts,
    'freshet.scorer.scored': 1_204_311,
    'freshet.poller.changes': 1_204_320,
  }
  return {
    day: '2026-11-30',
    figures: {
      ...{ fromMs: MORNING_MS - 24 * HOUR_MS, toMs: MORNING_MS },
      counts: { ...counts, 'freshet.answers.cache': 5_000_000, 'freshet.answers.default': 3 },
      freshness: { p50Seconds: 0.31, p99Seconds: 0.9 },
      worstFreshness: { seconds: 9, atMs: MORNING_MS - HOUR_MS },
      worstLag: { seconds: 42, atMs: MORNING_MS - HOUR_MS, groupId: 'air-infer' },
    },
    alerts: [],
    orders: [],
    blindness: null,
    messages: { told: 2, givenUp: 0 },
    ...worse,
  }
}

const firing: Alert = {
  ...{ phase: 'firing', finding: lagFinding, sinceMs: 0, measures: [], openings: [], flapping: false },
  ...{ toldAtMs: 0, heldBack: null, goodSinceMs: null },
}

test('all is well, with the figures that show it', () => {
  const notice = dailyNotice(day(), CONTEXT)
  expect(notice).toMatchObject({
    id: 'air/daily/2026-11-30',
    headline: 'All is well: 1,204,311 documents scored in 24 h',
    tone: 'good',
    figures: {
      'Documents scored': '1,204,311 in 24 h, of 1,204,320 changes',
      Freshness: 'p50 0.31 s, p99 0.9 s now; worst p99 9 s at 08:00 UTC',
      'Answers by source': expect.stringMatching(/cache 5,000,000.*default 3/),
      'Longest lag': '42 s at 08:00 UTC (air-infer)',
      'Dead letters': '0',
      Alerts: 'none firing, 2 messages told',
    },
    links: [{ label: 'Kibana', url: expect.stringContaining('2026-11-29T09') }],
  })
  expect(findFault(slackMessage(notice))).toBeNull()
})

test('nothing is well while an alert fires or nothing can be seen', () => {
  expect(dailyNotice(day({ alerts: [firing] }), CONTEXT)).toMatchObject({
    headline: '1 alert firing: air-infer is 5 min behind',
    tone: 'critical',
  })
  expect(dailyNotice(day({ blindness: 'no heartbeat is heard' }), CONTEXT)).toMatchObject({
    headline: 'The pipeline cannot be seen: no heartbeat is heard',
    tone: 'critical',
  })
})

test('what nobody would be told of is said with it', () => {
  const until = { version: 1 as const, by: 'ann', reason: 'upgrade', atMs: 0, untilMs: MORNING_MS + HOUR_MS }
  const orders: Order[] = [
    { ...until, order: 'silence', id: 's', match: 'lag/*' },
    { ...until, order: 'maintenance' },
    { ...until, order: 'trace', key: 'k' },
  ]
  expect(dailyNotice(day({ orders, messages: { told: 0, givenUp: 3 } }), CONTEXT)).toMatchObject({
    remarks: [
      'Silenced: lag/* until 2026-11-30 10:00 UTC (ann: upgrade)',
      'Maintenance, so nobody is told of alerts, until 2026-11-30 10:00 UTC (ann: upgrade)',
    ],
    figures: { Alerts: 'none firing, 0 messages told, 3 given up' },
  })
})

test('a line that every way refuses is tried once, and counts neither as told nor as the end of its day', async () => {
  const saved: string[] = []
  const counted: string[] = []
  let [tries, told] = [0, 0]
  await live(
    { hours: 3 },
    {
      store: { load: async () => undefined, save: async ({ day: name }) => void saved.push(name) },
      routes: {
        async tell() {
          tries++
          return 'given up'
        },
      },
      metrics: { add: (...[name]) => void counted.push(name) },
      onTold: () => void told++,
    },
  )
  expect({ tries, told, saved, counted }).toEqual({ tries: 1, told: 0, saved: [], counted: [] })
})

/** Days of a watchdog whose clock moves by what it sleeps; `store` outlives it, as Kafka does. */
async function live(
  { hours, from = MORNING_MS - HOUR_MS }: { hours: number; from?: number },
  options: Partial<DailyOptions> & { store: DailyOptions['store'] },
) {
  const clock = handClock(from)
  const stop = new AbortController()
  const told: string[] = []
  const moving = {
    ...clock,
    nowMs: clock.nowMs,
    async sleep(ms: number, signal?: AbortSignal) {
      if (ms >= 600_000)
        return new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()))
      await clock.sleep(ms)
      if (clock.atMs - from >= hours * HOUR_MS) stop.abort()
    },
  }
  await tellDaily(
    {
      time: { dailyAt: '09:00', timeZone: 'UTC' },
      speaks: () => true,
      routes: {
        async tell(notice) {
          told.push(`${notice().id} @${new Date(clock.atMs).toISOString().slice(0, 16)}`)
          return 'told'
        },
      },
      notice: (name): Notice => dailyNotice(day({ day: name }), CONTEXT),
      onTold() {},
      metrics: { add() {} },
      clock: moving,
      log: quietLog,
      ...options,
    },
    stop.signal,
  )
  return told
}

function memory(): DailyOptions['store'] {
  let last: Awaited<ReturnType<DailyOptions['store']['load']>>
  return { load: async () => last, save: async (daily) => void (last = daily) }
}

test('people hear once a day, at the time that is set', async () => {
  expect(await live({ hours: 50 }, { store: memory() })).toEqual([
    'air/daily/2026-11-30 @2026-11-30T09:00',
    'air/daily/2026-12-01 @2026-12-01T09:00',
    'air/daily/2026-12-02 @2026-12-02T09:00',
  ])
})

test('a watchdog that starts later in the day says it then, unless one before it has', async () => {
  const store = memory()
  const afternoon = { from: MORNING_MS + 5 * HOUR_MS, hours: 1 }
  expect(await live(afternoon, { store })).toEqual(['air/daily/2026-11-30 @2026-11-30T14:00'])
  expect(await live(afternoon, { store })).toEqual([])
})

test('whoever does not speak is silent here too', async () => {
  expect(await live({ hours: 3 }, { store: memory(), speaks: () => false })).toEqual([])
})

test('a memory that cannot be read or written costs nobody the line', async () => {
  const fail = async () => Promise.reject(new Error('away'))
  expect(await live({ hours: 3 }, { store: { load: fail, save: fail } })).toHaveLength(1)
})
