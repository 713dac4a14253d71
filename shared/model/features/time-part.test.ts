import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseTimeMs } from './parse-time.ts'
import { compileTimePart, type TimePart } from './time-part.ts'

const partOf = (name: TimePart, timeZone: string) => compileTimePart(name, timeZone, parseTimeMs)

describe('a moment is read as Elasticsearch reads it', () => {
  test.each([
    ['2013-12-01T10:15:00Z', Date.UTC(2013, 11, 1, 10, 15)],
    ['2013-12-01T10:15:00.123456Z', Date.UTC(2013, 11, 1, 10, 15, 0, 123)],
    ['2013-12-01T10:15', Date.UTC(2013, 11, 1, 10, 15)],
    ['2013-12-01', Date.UTC(2013, 11, 1)],
    ['2013-12-01T10:15:00-05:00', Date.UTC(2013, 11, 1, 15, 15)],
    ['2013-12-01T10:15:00+0545', Date.UTC(2013, 11, 1, 4, 30)],
    [1_385_892_900_000, 1_385_892_900_000],
  ])('%s', (value, ms) => {
    expect(parseTimeMs(value)).toBe(ms)
  })

  test.each([
    '',
    'soon',
    '2013-02-30',
    '2013-13-01',
    '2013-12-01T24:00Z',
    '2013-12-01T10:60Z',
    '2013-02-29T10:00:00Z',
    '2013-04-31T10:00:00Z',
    '2013-12-01T10:00:60Z',
    '2013-12-01T10:00:00X',
    '2013-12-01T10:00:00.x23Z',
    '2013-12-01T10:00:00,12Z9',
    '12/01/2013',
    9e15,
    true,
    null,
  ])('not a moment: %s', (value) => {
    expect(parseTimeMs(value)).toBeNaN()
  })

  test('every moment of the years 0 to 9999 survives ISO 8601', () => {
    const moment = fc.date({ min: new Date('0000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    fc.assert(
      fc.property(moment, (date) => {
        expect(parseTimeMs(date.toISOString())).toBe(date.getTime())
        const second = date.toISOString().replace(/\.\d+/, '')
        expect(parseTimeMs(second)).toBe(Math.floor(date.getTime() / 1_000) * 1_000)
      }),
    )
  })

  test('one wrong character makes no moment of another', () => {
    const moment = fc.date({ min: new Date('0000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    const place = fc.record({
      at: fc.nat({ max: 23 }),
      character: fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 1 }),
    })
    fc.assert(
      fc.property(moment, place, fc.boolean(), (date, { at, character }, hasMs) => {
        const text = hasMs ? date.toISOString() : date.toISOString().replace(/\.\d+/, '')
        const changed = text.slice(0, at) + character + text.slice(at + 1)
        const found = parseTimeMs(changed)
        // Behind a space, another parser reads: what it makes of the same text is the truth.
        if (!Number.isNaN(found)) expect(found).toBe(parseTimeMs(changed.replace('T', ' ')))
      }),
    )
  })
})

describe('parts are those of the wall clock in the zone', () => {
  const zones = ['UTC', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Pacific/Apia']
  const moment = fc.date({ min: new Date('1975-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })

  test('hour, minute, day, month and year agree with Intl for any moment', () => {
    fc.assert(
      fc.property(moment, fc.constantFrom(...zones), (date, timeZone) => {
        const part = (name: TimePart) => partOf(name, timeZone)(date.getTime())
        const clock = wallClock(date, timeZone)
        expect(part('hour')).toBe(clock.hour)
        expect(part('minuteOfDay')).toBe(clock.hour * 60 + clock.minute)
        expect(part('dayOfMonth')).toBe(clock.day)
        expect(part('month')).toBe(clock.month)
        expect(part('year')).toBe(clock.year)
        expect(part('weekday')).toBe(WEEKDAYS.indexOf(clock.weekday))
      }),
    )
  })

  test('the week starts on Monday with 0, the year on its first day with 1', () => {
    const monday = '2024-01-01T12:00:00Z'
    expect(partOf('weekday', 'UTC')(monday)).toBe(0)
    expect(partOf('weekday', 'UTC')('2024-01-07')).toBe(6)
    expect(partOf('dayOfYear', 'UTC')(monday)).toBe(1)
    expect(partOf('dayOfYear', 'UTC')('2024-12-31')).toBe(366)
  })

  test('the hour that daylight saving leaves out is never seen', () => {
    const hour = partOf('hour', 'America/New_York')
    expect(hour('2013-03-10T06:59:59Z')).toBe(1)
    expect(hour('2013-03-10T07:00:00Z')).toBe(3)
  })
})

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

function wallClock(
  date: Date,
  timeZone: string,
): Record<'year' | 'month' | 'day' | 'hour' | 'minute', number> & { weekday: string } {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  })
  const parts = Object.fromEntries(
    format
      .formatToParts(date)
      .map(({ type, value }) => [type, type === 'weekday' ? value : Number(value)] as const),
  )
  return parts as ReturnType<typeof wallClock>
}
