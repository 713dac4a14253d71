const ISO_8601 =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:Z|([+-])(\d\d):?(\d\d))?)?$/

/** Moments that a Date can hold. */
const MAX_MS = 8.64e15

/**
 * Milliseconds since 1970 of a date as Elasticsearch's default format takes it: ISO 8601, or the milliseconds as a
 * number. NaN for anything else. Without an offset it is UTC, which is Elasticsearch's rule and not JavaScript's.
 */
export function parseTimeMs(value: unknown): number {
  if (typeof value === 'number') return Math.abs(value) <= MAX_MS ? value : Number.NaN
  if (typeof value !== 'string') return Number.NaN
  const match = ISO_8601.exec(value)
  if (match === null) return Number.NaN
  const [
    ,
    year,
    month,
    day,
    hour = 0,
    minute = 0,
    second = 0,
    fraction = '',
    sign,
    offsetHour,
    offsetMinute,
  ] = match
  const midnightMs = Date.parse(`${year}-${month}-${day}`)
  const isDay = new Date(midnightMs).getUTCDate() === Number(day)
  if (!isDay || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return Number.NaN
  const offsetMinutes = sign === undefined ? 0 : Number(offsetHour) * 60 + Number(offsetMinute)
  const minutes = Number(hour) * 60 + Number(minute) - (sign === '-' ? -offsetMinutes : offsetMinutes)
  return midnightMs + minutes * 60_000 + Number(second) * 1_000 + Number(fraction.slice(0, 3).padEnd(3, '0'))
}
