import { duration, measured } from '@freshet/watchdog/page/public/words.js'
import type { ShownAlert } from '@freshet/watchdog/page/view/page-state.ts'
import { sparkline } from '@freshet/watchdog/routes/formats/sparkline.ts'
import { type Line, styled } from './line.ts'
import { mark, plain, STYLES } from './signs.ts'

export function alertLines(alert: ShownAlert, atMs: number): Line[] {
  const { phase, severity, title, sinceMs, resolvedAtMs, measure, effect, firstLook, runbook } = alert
  const level = phase === 'firing' ? severity : phase === 'resolved' ? 'well' : 'unknown'
  const age = duration(((resolvedAtMs ?? atMs) - sinceMs) / 1_000)
  const first: Line = [
    ' ',
    mark(level),
    ' ',
    styled(STYLES[level], (phase === 'firing' ? severity : phase).padEnd(9)),
    ` ${title}`,
    styled('soft', `  ${phase === 'resolved' ? 'lasted' : 'for'} ${age}${heldText(alert)}`),
  ]
  if (phase !== 'firing') return [first]
  const indent = ' '.repeat(13)
  return [
    first,
    ...(measure === null
      ? []
      : [
          [
            indent,
            styled(STYLES[level], sparkline(measure)),
            styled('soft', ` alert above ${measured(measure.threshold, measure.unit)}`),
          ],
        ]),
    ...(effect === null ? [] : [[indent, plain(effect)]]),
    ...(firstLook === null ? [] : [[indent, styled('soft', `first look: ${plain(firstLook)}`)]]),
    [indent, styled('soft', runbook.url ?? runbook.file)],
  ]
}

function heldText({ heldBack, flapping }: ShownAlert): string {
  return `${flapping ? ', flapping' : ''}${heldBack === null ? '' : `, not told: ${heldBack}`}`
}
