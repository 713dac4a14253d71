import { expect, test } from 'vitest'
import { UsedCpu } from './used-cpu.ts'

test('what was computed since a moment, from the last look before it', () => {
  const used = new UsedCpu()
  expect(used.sinceMs(0)).toBe(0)
  for (const [atMs, totalMs] of [
    [10, 100],
    [15, 104],
    [20, 104],
    [25, 109],
  ] as const)
    used.add(atMs, totalMs)
  expect([25, 24, 20, 16, 15, 10, 3].map((ms) => used.sinceMs(ms))).toEqual([0, 5, 5, 5, 5, 9, 9])
})

test('what is long past is forgotten', () => {
  const used = new UsedCpu()
  for (let atMs = 0; atMs <= 30_000; atMs += 5) used.add(atMs, atMs)
  expect(used.sinceMs(29_000)).toBe(1_000)
  expect(used.sinceMs(0)).toBeLessThan(11_000)
})
