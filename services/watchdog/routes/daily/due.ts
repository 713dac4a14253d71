/** When the daily line is due, in the time zone of its readers. Pure. */

export interface DailyTime {
  /** `HH:MM`. */
  readonly dailyAt: string
  readonly timeZone: string
}

/**
 * Tells the day whose line is due, as `2026-11-30`; null before its time. On the day on which clocks are set forward, a time
 * that does not exist is due right after.
 */
export function dueDays({ dailyAt, timeZone }: DailyTime): (nowMs: number) => string | null {
  // `sv` writes dates and times as ISO does. Made once: a format costs more than all that it writes in a day.
  const format = new Intl.DateTimeFormat('sv', {
    timeZone,
    ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' },
  })
  return (nowMs) => {
    const [day, time] = format.format(nowMs).split(' ')
    return time! >= dailyAt ? day! : null
  }
}
