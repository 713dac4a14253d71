import type { Heartbeat } from '@freshet/records/heartbeat.ts'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { CounterGrowth } from './counter-growth.ts'

const heartbeat = (atMs: number, metrics: Record<string, number>) =>
  ({ atMs, metrics }) as unknown as Heartbeat

test('what an instance counted within the time is told; what it had counted before we listened is not', () => {
  const growth = new CounterGrowth(-1e9)
  growth.hear(heartbeat(0, { 'freshet.scorer.dead': 100 }), 0)
  expect(growth.since(1_000).lastFiveMinutes).toEqual({ seconds: 0, by: {} })
  growth.hear(heartbeat(3_000, { 'freshet.scorer.dead': 102 }), 3_000)
  expect(growth.since(3_100).lastFiveMinutes).toEqual({ seconds: 3, by: { 'freshet.scorer.dead': 2 } })
  for (let atMs = 6_000; atMs <= 400_000; atMs += 3_000)
    growth.hear(heartbeat(atMs, { 'freshet.scorer.dead': 102 }), atMs)
  expect(growth.since(400_000).lastFiveMinutes.by).toEqual({})
})

test('an instance that began lately has counted from 0 since then', () => {
  const growth = new CounterGrowth(40_000)
  growth.hear(heartbeat(42_000, { 'freshet.answers.cache': 8 }), 42_000)
  const told = growth.since(42_000)
  expect(told.lastMinute).toEqual({ seconds: 2, by: { 'freshet.answers.cache': 8 } })
  expect(told.perSecond).toEqual({ 'freshet.answers.cache': 4 })
})

test('one that speaks no more counts no more', () => {
  const growth = new CounterGrowth(0)
  growth.hear(heartbeat(100_000, { 'freshet.answers.cache': 8 }), 100_000)
  growth.hear(heartbeat(103_000, { 'freshet.answers.cache': 14 }), 103_000)
  expect(growth.since(103_000).perSecond).toEqual({ 'freshet.answers.cache': 2 })
  expect(growth.since(130_000).perSecond).toEqual({})
  expect(growth.since(130_000).lastMinute.by).toEqual({ 'freshet.answers.cache': 6 })
})

test('gauges are no counts', () => {
  const growth = new CounterGrowth(0)
  growth.hear(heartbeat(1_000, { 'freshet.poller.behind': 8 }), 1_000)
  expect(growth.since(1_000).lastMinute.by).toEqual({})
})

/* Proved for every counter that never falls and every pause between heartbeats: no growth is negative, none is more than
 * all that was counted since the start, and a longer time has seen at least as much. */
test('a longer while has seen at least as much, and nobody more than there was', () => {
  const steps = fc.array(fc.record({ pauseMs: fc.integer({ min: 100, max: 90_000 }), count: fc.nat(50) }), {
    minLength: 1,
  })
  fc.assert(
    fc.property(steps, (beats) => {
      const growth = new CounterGrowth(0)
      let [atMs, total] = [0, 0]
      for (const { pauseMs, count } of beats) {
        atMs += pauseMs
        total += count
        growth.hear(heartbeat(atMs, { 'freshet.scorer.scored': total }), atMs)
        const { lastMinute, lastFiveMinutes } = growth.since(atMs)
        const [minute, five] = [lastMinute, lastFiveMinutes].map(({ by }) => by['freshet.scorer.scored'] ?? 0)
        expect(minute).toBeGreaterThanOrEqual(0)
        expect(five).toBeGreaterThanOrEqual(minute!)
        expect(five).toBeLessThanOrEqual(total)
      }
    }),
  )
})
