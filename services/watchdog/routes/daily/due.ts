/** When the daily line is due, in the time zone of its readers. Pure. */

export interface DailyTime {
  /** `HH:MM`. */
  readonly dailyAt: string
  readonly timeZone: string
}

/**
 * The day whose line is due, as `2026-11-30`; null before its time. On the day on which clocks are set forward, a time that
 * does not exist is due right after.
 */
export function dueDay(nowMs: number, { dailyAt, timeZone }: DailyTime): string | null {
  const { day, time } = localTime(nowMs, timeZone)
  return time >= dailyAt ? day : null
}

/** `sv` writes dates and times as ISO does. */
function localTime(nowMs: number, timeZone: string): { day: string; time: string } {
  const [day, time] = new Date(nowMs)
    .toLocaleString('sv', {
      timeZone,
      ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' },
    })
    .split(' ')
  return { day: day!, time: time! }
}
