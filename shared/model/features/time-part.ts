import type { TIME_PARTS } from '../bundle/spec.ts'
import { zoneOffsetMs } from './zone-offset.ts'

export type TimePart = (typeof TIME_PARTS)[number]

/**
 * A reader for one part of a moment, taken in a time zone; NaN when the value is no moment.
 * @param parse as parseTimeMs does; may be shared by the readers of one document, which often read the same field.
 */
export function compileTimePart(
  part: TimePart,
  timeZone: string,
  parse: (value: unknown) => number,
): (value: unknown) => number {
  const offsetMs = zoneOffsetMs(timeZone)
  const read = PARTS[part]
  return (value) => {
    const utcMs = parse(value)
    return Number.isNaN(utcMs) ? utcMs : read(utcMs + offsetMs(utcMs))
  }
}

const DAY_MS = 86_400_000

/** From milliseconds since 1970 in local time, as if local time were UTC. */
const PARTS: Readonly<Record<TimePart, (localMs: number) => number>> = {
  hour: (ms) => Math.floor(sinceMidnightMs(ms) / 3_600_000),
  minuteOfDay: (ms) => Math.floor(sinceMidnightMs(ms) / 60_000),
  // The first day of 1970 was a Thursday.
  weekday: (ms) => {
    const days = Math.floor(ms / DAY_MS) + 3
    return days - Math.floor(days / 7) * 7
  },
  dayOfMonth: (ms) => new Date(ms).getUTCDate(),
  dayOfYear: (ms) => Math.floor((ms - Date.UTC(new Date(ms).getUTCFullYear(), 0)) / DAY_MS) + 1,
  month: (ms) => new Date(ms).getUTCMonth() + 1,
  year: (ms) => new Date(ms).getUTCFullYear(),
}

function sinceMidnightMs(ms: number): number {
  return ms - Math.floor(ms / DAY_MS) * DAY_MS
}
