import { expect, test } from 'vitest'
import { retryAfterMs } from './retry-after.ts'

const NOW_MS = Date.parse('2026-11-30T08:00:00Z')

test.each([
  ['30', 30_000],
  ['0.5', 500],
  ['Mon, 30 Nov 2026 08:00:05 GMT', 5_000],
  ['Mon, 30 Nov 2026 07:00:00 GMT', 0],
  ['-5', 0],
  ['', 0],
  ['soon', 0],
  ['9999999999', 60_000],
  ['1e999', 60_000],
  ['Fri, 30 Nov 2096 08:00:00 GMT', 60_000],
  [null, 0],
  [undefined, 0],
])('%j is a wait of %i ms', (header, expected) => {
  expect(retryAfterMs(header, { nowMs: NOW_MS, maxMs: 60_000 })).toBe(expected)
})
