import { expect, test } from 'vitest'
import { type Daily, dailyRecord } from './daily.ts'
import { golden } from './golden/golden.kit.ts'

test('the daily line that people have is kept in the bytes of version 1', () => {
  const daily: Daily = { version: 1, day: '2026-11-30', toldAtMs: 1_764_000_000_000 }
  const text = golden('daily.v1.txt').toString()
  expect(dailyRecord.encode(daily)).toBe(text)
  expect(dailyRecord.decode(text)).toEqual(daily)
})
