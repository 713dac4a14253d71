const QUARTER_MS = 15 * 60_000
const MAX_REMEMBERED = 10_000

const zones = new Map<string, ZoneOffset>()

/** Milliseconds that a zone's local time is ahead of UTC at a moment. */
type ZoneOffset = (utcMs: number) => number

/**
 * One for all columns in the zone. Asking Intl costs microseconds, so answers are remembered by quarter of an hour: no
 * zone has ever changed its offset within one since 1973.
 */
export function zoneOffsetMs(timeZone: string): ZoneOffset {
  if (timeZone === 'UTC') return () => 0
  const known = zones.get(timeZone)
  if (known !== undefined) return known
  const offset = rememberOffsets(timeZone)
  zones.set(timeZone, offset)
  return offset
}

function rememberOffsets(timeZone: string): ZoneOffset {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
  const remembered = new Map<number, number>()
  let last = Number.NaN
  let lastOffset = Number.NaN
  return (utcMs) => {
    const quarter = Math.floor(utcMs / QUARTER_MS)
    if (quarter === last) return lastOffset // the next column of the same document
    let offset = remembered.get(quarter)
    if (offset === undefined) {
      offset = askIntl(format, quarter * QUARTER_MS)
      if (remembered.size >= MAX_REMEMBERED) remembered.clear()
      remembered.set(quarter, offset)
    }
    last = quarter
    return (lastOffset = offset)
  }
}

function askIntl(format: Intl.DateTimeFormat, utcMs: number): number {
  const name = format.formatToParts(utcMs).find(({ type }) => type === 'timeZoneName')?.value ?? ''
  const match = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(name)
  if (match === null) return Number.NaN
  const [, sign, hours = 0, minutes = 0, seconds = 0] = match
  const ms = Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1_000
  return sign === '-' ? -ms : ms
}
