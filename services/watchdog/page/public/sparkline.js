import { h } from './dom.js'
import { duration } from './words.js'

const WIDTH = 120
const HEIGHT = 28

/**
 * The last minutes in one line.
 * @param {(number | null)[]} values oldest first; null: not known, a gap
 * @param {{ name: string, minutes?: number, least?: number, threshold?: number }} options `least`: the scale reaches at least
 *   this high, so that what is small looks small
 */
export function sparkline(values, { name, minutes, least = 0, threshold }) {
  const known = values.filter((value) => value !== null)
  const highest = Math.max(least, threshold ?? 0, ...known) * 1.08 || 1
  const x = (at) => (values.length < 2 ? WIDTH : (at * WIDTH) / (values.length - 1))
  const y = (value) => HEIGHT - 2 - (value / highest) * (HEIGHT - 5)
  const runs = runsOf(values, x, y)
  const line = runs.map((run) => `M${run.map(([px, py]) => `${f(px)} ${f(py)}`).join('L')}`).join('')
  const area = runs
    .filter((run) => run.length > 1)
    .map(
      (run) =>
        `M${f(run[0][0])} ${HEIGHT}L${run.map(([px, py]) => `${f(px)} ${f(py)}`).join('L')}L${f(run.at(-1)[0])} ${HEIGHT}Z`,
    )
    .join('')
  const last = values.at(-1)
  return h(
    'svg',
    {
      class: 'spark',
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': labelOf(name, known, minutes),
    },
    [
      threshold !== undefined &&
        h('line', { class: 'threshold', x1: 0, x2: WIDTH, y1: f(y(threshold)), y2: f(y(threshold)) }),
      h('title', {}, labelOf(name, known, minutes)),
      h('line', { class: 'base', x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT }),
      h('path', { class: 'area', d: area }),
      h('path', { class: 'line', d: line }),
      last !== null &&
        last !== undefined &&
        h('path', { class: 'now', d: `M${f(x(values.length - 1))} ${f(y(last))}h0` }),
    ],
  )
}

/** Stretches without a gap, as points. */
function runsOf(values, x, y) {
  const runs = []
  let run = null
  for (const [at, value] of values.entries()) {
    if (value === null) run = null
    else {
      if (run === null) runs.push((run = []))
      run.push([x(at), y(value)])
    }
  }
  return runs
}

function labelOf(name, known, minutes) {
  if (known.length === 0) return `${name}: not known yet`
  if (minutes === undefined) return `${name}: the last ${known.length} values`
  return `${name} in the last ${minutes} minutes: now ${duration(known.at(-1))}, at most ${duration(Math.max(...known))}`
}

function f(value) {
  return Number(value.toFixed(1))
}
