import fc from 'fast-check'
import { expect, test } from 'vitest'
import { flushDueMs } from './flush-due.ts'

const NOW_MS = 1_900_000_000_000

test('a flush is due an interval after the last commit, also of a worker before us', () => {
  const times = { committedAtMs: NOW_MS - 50_000, begunAtMs: NOW_MS, flushedAtMs: 0 }
  expect(flushDueMs(times, 60_000)).toBe(NOW_MS + 10_000)
})

test('who starts late first collects for a moment, at most the interval', () => {
  const times = { committedAtMs: 0, begunAtMs: NOW_MS, flushedAtMs: 0 }
  expect(flushDueMs(times, 3_600_000)).toBe(NOW_MS + 5_000)
  expect(flushDueMs(times, 1_000)).toBe(NOW_MS + 1_000)
})

test('a flush that had nothing to write counts too', () => {
  const times = { committedAtMs: NOW_MS - 500_000, begunAtMs: NOW_MS - 400_000, flushedAtMs: NOW_MS }
  expect(flushDueMs(times, 60_000)).toBe(NOW_MS + 60_000)
})

test('a commit by a clock that is ahead of ours is taken for one of now', () => {
  const times = { committedAtMs: NOW_MS + 86_400_000, begunAtMs: NOW_MS, flushedAtMs: 0 }
  expect(flushDueMs(times, 60_000)).toBe(NOW_MS + 60_000)
})

test('at any interval a worker that dies every few seconds commits as often as one that lives', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1_000, max: 3_600_000 }),
      fc.integer({ min: 6_000, max: 60_000 }),
      fc.integer({ min: 0, max: 3_600_000 }),
      (intervalMs, lifeMs, sinceMs) => {
        let committedAtMs = NOW_MS - sinceMs
        let begunAtMs = NOW_MS
        for (let commits = 0; commits < 20; begunAtMs += lifeMs) {
          const dueMs = flushDueMs({ committedAtMs, begunAtMs, flushedAtMs: 0 }, intervalMs)
          if (dueMs >= begunAtMs + lifeMs) continue // it dies before
          const lateMs = dueMs - Math.max(committedAtMs + intervalMs, NOW_MS)
          expect(lateMs).toBeLessThanOrEqual(lifeMs + 5_000)
          committedAtMs = dueMs
          commits++
        }
      },
    ),
  )
})
