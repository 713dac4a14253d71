import { count, duration, rate, STAGES } from '@freshet/watchdog/page/public/words.js'
import type { PageState, StageState } from '@freshet/watchdog/page/view/page-state.ts'
import { sparkline } from '@freshet/watchdog/routes/formats/sparkline.ts'
import { type Line, styled } from './line.ts'
import { mark } from './signs.ts'

/** Of the history of a stage: one bar for five of its buckets. */
const BARS = 24

export function stageLines(stage: StageState, { history }: PageState, wide: boolean): Line[] {
  const { name, level, instances, perSecond, behindSeconds, waiting, notes } = stage
  const { title, unit, waiting: things } = STAGES[name]
  const speed = perSecond === null ? '–' : rate(perSecond)
  const behind = behindSeconds.now === null ? '' : `${duration(behindSeconds.now)} behind`
  const held = waiting === null || waiting === 0 ? '' : `${count(waiting)} ${things} waiting`
  const first: Line = [
    mark(level),
    ' ',
    styled('bold', title.padEnd(9)),
    speed.padStart(8),
    styled('soft', ` ${`${unit}/s`.padEnd(10)}`),
    styled('accent', bars(behindSeconds.history).padEnd(BARS)),
    `  ${behind.padEnd(14)}`,
    ...(wide
      ? [styled('soft', held.padEnd(26)), styled('soft', instances === null ? '' : `×${instances}`)]
      : []),
  ]
  const minutes = (history.bucketSeconds * history.buckets) / 60
  const more = [
    ...(wide || held === '' ? [] : [held]),
    ...(instances === 0 ? ['nobody does this'] : []),
    ...(instances === null ? ['not looked yet'] : []),
    ...notes,
  ]
  const axis: Line[] =
    name === 'gateway' && wide
      ? [[' '.repeat(30), styled('soft', `${`${minutes} min ago`.padEnd(BARS - 3)}now`)]]
      : []
  return [first, ...more.map((note): Line => ['    ', styled('warning', note)]), ...axis]
}

/** The highest of each stretch, so that a peak is seen. */
function bars(history: readonly (number | null)[]): string {
  const size = Math.max(1, Math.ceil(history.length / BARS))
  const values = Array.from({ length: Math.ceil(history.length / size) }, (_, at) => {
    const known = history.slice(at * size, (at + 1) * size).filter((value) => value !== null)
    return known.length === 0 ? Number.NaN : Math.max(...known)
  })
  return sparkline({ values, threshold: 1 })
}
