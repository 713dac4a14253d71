import { expect, test } from 'vitest'
import { type DailyTime, dueDays } from './due.ts'

const at = (iso: string) => Date.parse(iso)
const dueDay = (nowMs: number, time: DailyTime) => dueDays(time)(nowMs)

test('a line is due from its time of day on, in the time zone of its readers', () => {
  const nine = { dailyAt: '09:00', timeZone: 'Europe/Berlin' }
  expect(dueDay(at('2026-11-30T07:59:59Z'), nine)).toBeNull()
  expect(dueDay(at('2026-11-30T08:00:00Z'), nine)).toBe('2026-11-30')
  expect(dueDay(at('2026-11-30T22:59:59Z'), nine)).toBe('2026-11-30')
  expect(dueDay(at('2026-11-30T23:30:00Z'), nine)).toBeNull()
})

test('midnight belongs to the day that begins', () => {
  const midnight = { dailyAt: '00:00', timeZone: 'UTC' }
  expect(dueDay(at('2026-11-30T00:00:00Z'), midnight)).toBe('2026-11-30')
  expect(dueDay(at('2026-11-30T23:59:59Z'), midnight)).toBe('2026-11-30')
})

test('on the day on which clocks are set forward, a time that does not exist is due right after', () => {
  const gap = { dailyAt: '02:30', timeZone: 'Europe/Berlin' }
  expect(dueDay(at('2026-03-29T00:59:59Z'), gap)).toBeNull()
  expect(dueDay(at('2026-03-29T01:00:00Z'), gap)).toBe('2026-03-29')
})

test('on the day on which clocks are set back, it is one day for both hours', () => {
  const twice = { dailyAt: '02:30', timeZone: 'Europe/Berlin' }
  expect(dueDay(at('2026-10-25T00:30:00Z'), twice)).toBe('2026-10-25')
  expect(dueDay(at('2026-10-25T01:30:00Z'), twice)).toBe('2026-10-25')
})
