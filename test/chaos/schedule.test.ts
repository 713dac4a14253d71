import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Fault, MAX_FAULT_MS, MAX_REST_MS, STRIKE_EVERY_MS, scheduleOf } from './schedule.ts'
import { KINDS, TARGETS } from './targets.ts'

const seeds = fc.integer()
const lengths = fc.integer({ min: 0, max: 600_000 })

test('the same seed gives the same schedule, and another one another', () => {
  fc.assert(
    fc.property(seeds, lengths, (seed, lengthMs) => {
      expect(scheduleOf(seed, lengthMs)).toEqual(scheduleOf(seed, lengthMs))
    }),
  )
  expect(scheduleOf(1, 60_000)).not.toEqual(scheduleOf(2, 60_000))
})

test('every fault is mended within its bound, and all are when the time is over', () => {
  fc.assert(
    fc.property(seeds, lengths, (seed, lengthMs) => {
      for (const { atMs, untilMs } of scheduleOf(seed, lengthMs)) {
        expect(untilMs).toBeGreaterThanOrEqual(atMs)
        expect(untilMs).toBeLessThanOrEqual(Math.min(lengthMs, atMs + MAX_FAULT_MS))
      }
    }),
  )
})

test('a target never has two faults', () => {
  fc.assert(
    fc.property(seeds, lengths, (seed, lengthMs) => {
      for (const faults of Map.groupBy(scheduleOf(seed, lengthMs), ({ target }) => target).values())
        for (const [index, fault] of faults.entries())
          if (index > 0) expect(fault.atMs).toBeGreaterThan(faults[index - 1]!.untilMs)
    }),
  )
})

test('one or two are struck every three seconds, and nobody only while all are down or come back', () => {
  fc.assert(
    fc.property(seeds, lengths, (seed, lengthMs) => {
      const faults = scheduleOf(seed, lengthMs)
      const strikes = Map.groupBy(faults, ({ atMs }) => atMs)
      for (let atMs = 0; atMs < lengthMs; atMs += STRIKE_EVERY_MS) {
        const struck = strikes.get(atMs)?.length ?? 0
        expect(struck).toBeLessThanOrEqual(2)
        if (struck === 0) expect(busyAt(faults, atMs)).toBe(TARGETS.length)
        strikes.delete(atMs)
      }
      expect(strikes.size).toBe(0)
    }),
  )
})

test('over many seeds every target meets every kind, and is struck together with every other', () => {
  const all = Array.from({ length: 60 }, (_, seed) => scheduleOf(seed, 120_000))
  const met = new Set(all.flat().map(({ target, kind }) => `${target} ${kind}`))
  const together = new Set(all.flatMap((faults) => pairsOf(faults)))
  expect(met.size).toBe(TARGETS.length * KINDS.length)
  expect(together.size).toBe((TARGETS.length * (TARGETS.length - 1)) / 2)
})

function pairsOf(faults: readonly Fault[]): string[] {
  return [...Map.groupBy(faults, ({ atMs }) => atMs).values()]
    .filter((struck) => struck.length === 2)
    .map((struck) =>
      struck
        .map(({ target }) => target)
        .toSorted()
        .join(' and '),
    )
}

function busyAt(faults: readonly Fault[], atMs: number): number {
  return new Set(
    faults.filter((one) => one.atMs < atMs && one.untilMs + MAX_REST_MS > atMs).map(({ target }) => target),
  ).size
}
