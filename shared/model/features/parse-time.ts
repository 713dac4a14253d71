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
  return (
    (value.length <= PLAIN.length ? parsePlainMs(codesOf(value), 0, value.length) : undefined) ??
    parseAnyMs(value)
  )
}

/** `2013-12-01T21:10:00.000Z` */
const PLAIN = new Uint16Array(24)

function codesOf(text: string): Uint16Array {
  for (let i = 0; i < text.length; i++) PLAIN[i] = text.charCodeAt(i)
  return PLAIN
}

/**
 * The two forms that nearly all documents have, `2013-12-01T21:10:00Z` and the same with milliseconds, several times as
 * fast; undefined for all others, and for the last days of a month.
 * @param codes ASCII bytes, or UTF-16.
 */
export function parsePlainMs(codes: Uint8Array | Uint16Array, from: number, to: number): number | undefined {
  const hasMs = to - from === 24
  if (!hasMs && to - from !== 20) return undefined
  const year = digits(codes, from) * 100 + digits(codes, from + 2)
  const month = digits(codes, from + 5)
  const day = digits(codes, from + 8)
  const hour = digits(codes, from + 11)
  const minute = digits(codes, from + 14)
  const second = digits(codes, from + 17)
  const ms = hasMs ? (codes[from + 20]! - ZERO) * 100 + digits(codes, from + 21) : 0
  // NaN fails every comparison.
  const isPlain =
    codes[from + 4] === HYPHEN &&
    codes[from + 7] === HYPHEN &&
    codes[from + 10] === LETTER_T &&
    codes[from + 13] === COLON &&
    codes[from + 16] === COLON &&
    codes[to - 1] === LETTER_Z &&
    (!hasMs || codes[from + 19] === DOT) &&
    year >= 0 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= (month === 2 ? 28 : 30) &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 59 &&
    ms >= 0 &&
    ms <= 999
  if (!isPlain) return undefined
  return daysSince1970(year, month, day) * DAY_MS + hour * 3_600_000 + minute * 60_000 + second * 1_000 + ms
}

const DAY_MS = 86_400_000
const HYPHEN = 0x2d
const COLON = 0x3a
const DOT = 0x2e
const LETTER_T = 0x54
const LETTER_Z = 0x5a
const ZERO = 0x30

/** Two digits; NaN when they are none. */
function digits(codes: Uint8Array | Uint16Array, at: number): number {
  const tens = codes[at]! - ZERO
  const ones = codes[at + 1]! - ZERO
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}

/** Of the Gregorian calendar. A year is counted from March, so that the day that may be missing is its last. */
function daysSince1970(year: number, month: number, day: number): number {
  const fromMarch = month > 2 ? year : year - 1
  const leapDays = Math.floor(fromMarch / 4) - Math.floor(fromMarch / 100) + Math.floor(fromMarch / 400)
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  return fromMarch * 365 + leapDays + dayOfYear - 719_468
}

function parseAnyMs(value: string): number {
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
