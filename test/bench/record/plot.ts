/** The plot of docs/benchmarks.md: bars on a logarithmic scale, a line where the target is. As text, without a library. */
import { ENTRIES, type Entry } from '../figures.ts'
import { bareNumbers, judge, measuredFor, type Target } from '../target.ts'
import { isBusy, type Recorded, type Records } from './records.ts'

interface Bar {
  readonly name: string
  readonly text: string
  readonly value: number
  /** Where the target is, if it has one of this kind. */
  readonly mark: number | undefined
  readonly isMet: boolean
  readonly isBusy: boolean
}

interface Panel {
  readonly title: string
  readonly bars: readonly Bar[]
}

const WIDTH = 860
const LEFT = 230
const RIGHT = 90
const ROW = 26
const HEAD = 56

const STYLE = `
    :root { --back: #ffffff; --ink: #1f2328; --dim: #57606a; --met: #1a7f37; --missed: #cf222e; --plain: #6e7781; --mark: #1f2328 }
    @media (prefers-color-scheme: dark) {
      :root { --back: #0d1117; --ink: #e6edf3; --dim: #9198a1; --met: #3fb950; --missed: #f85149; --plain: #8b949e; --mark: #e6edf3 }
    }
    .back { fill: var(--back) }
    text { fill: var(--ink) }
    .dim { fill: var(--dim); font-size: 12px }
    .head { font-weight: 600 }
    .met { fill: var(--met) }
    .missed { fill: var(--missed) }
    .plain { fill: var(--plain) }
    .busy { fill-opacity: 0.45 }
    .mark { stroke: var(--mark); stroke-width: 2 }
    .one { stroke: var(--dim); stroke-dasharray: 3 3 }`

export function plotText(records: Records): string {
  const panels = panelsOf(records)
  const heights = panels.map(({ bars }) => HEAD + bars.length * ROW)
  const height = heights.reduce((sum, one) => sum + one, 0) + 56
  const drawn = panels.map((panel, index) => {
    const top = heights.slice(0, index).reduce((sum, one) => sum + one, 8)
    return drawPanel(panel, top)
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-labelledby="title summary">
  <title id="title">Benchmarks of Freshet</title>
  <desc id="summary">${panels.map(summaryOf).join(' ')}</desc>
  <style>${STYLE}
  </style>
  <rect class="back" width="${WIDTH}" height="${height}" rx="8"/>
${drawn.join('\n')}
  <text class="dim" x="16" y="${height - 32}">Upright line: the target; ✓ met, ✗ missed. Grey: the target is not about this ratio. Dashed line: 1. Scales are logarithmic.</text>
  <text class="dim" x="16" y="${height - 14}">Pale: measured on a busy machine. The tables say when each was measured, and what else its target asks.</text>
</svg>
`
}

function panelsOf({ newest, machines }: Records): readonly Panel[] {
  const found = ENTRIES.flatMap((entry) => {
    const result = newest.find(({ figure }) => figure === entry.figure.name)
    return result === undefined ? [] : [{ entry, result }]
  })
  const ratios = (isWanted: (entry: Entry) => boolean) =>
    found.flatMap(({ entry, result }) => (isWanted(entry) ? ratioBar(entry, result, machines) : []))
  return [
    {
      title: 'Work a second as a multiple of the bare loop (more is better)',
      bars: ratios((entry) => !isPeer(entry) && isRate(entry)),
    },
    {
      title: 'Time, memory and idling as a multiple of the bare loop (less is better)',
      bars: ratios((entry) => !isPeer(entry) && !isRate(entry)),
    },
    {
      title: 'Work for each second of CPU time as a multiple of the peer (more is better)',
      bars: ratios(isPeer),
    },
    {
      title: 'Upper limits: how much of it is used (less is better)',
      bars: found.flatMap(({ entry, result }) => limitBar(entry, result, machines)),
    },
  ].filter(({ bars }) => bars.length > 0)
}

function isPeer({ stage }: Entry): boolean {
  return stage === 'peers'
}

/** Of milliseconds, MiB and what idling costs, more is worse. */
function isRate({ figure: { unit } }: Entry): boolean {
  return unit.includes('/')
}

function ratioBar({ figure }: Entry, result: Recorded, machines: Records['machines']): readonly Bar[] {
  const { name, targets } = figure
  const value = measuredFor({ of: 'value', than: 'baseline' }, result, bareNumbers(result.baseline))
  if (value === undefined) return []
  const target = targets.find(({ of, than }) => of === 'value' && than === 'baseline')
  return [bar({ name, value, text: `${shortText(value)} ×` }, target, target?.atLeast, result, machines)]
}

function limitBar({ figure }: Entry, result: Recorded, machines: Records['machines']): readonly Bar[] {
  const { name, targets } = figure
  const target = targets.find(
    ({ of, than, atMost }) => of === 'value' && than === undefined && atMost !== undefined,
  )
  if (target === undefined || result.value === null) return []
  const value = result.value / target.atMost!
  return [bar({ name, value, text: `${Math.round(value * 100)} %` }, target, 1, result, machines)]
}

function bar(
  own: Pick<Bar, 'name' | 'value' | 'text'>,
  target: Target | undefined,
  mark: number | undefined,
  result: Recorded,
  machines: Records['machines'],
): Bar {
  const isMet = target !== undefined && judge(target, result, bareNumbers(result.baseline)) === 'met'
  return { ...own, mark, isMet, isBusy: isBusy(result, machines) }
}

function drawPanel({ title, bars }: Panel, top: number): string {
  const at = scaleOf(bars)
  const rows = bars.map((one, index) => drawBar(one, top + HEAD - 14 + index * ROW, at))
  const bottom = top + HEAD - 14 + bars.length * ROW
  return [
    `  <text class="head" x="16" y="${top + 26}">${title}</text>`,
    ...rows,
    `  <line class="one" x1="${at(1)}" x2="${at(1)}" y1="${top + HEAD - 20}" y2="${bottom}"/>`,
  ].join('\n')
}

function drawBar(
  { name, text, value, mark, isMet, isBusy }: Bar,
  y: number,
  at: (value: number) => number,
): string {
  const kind = mark === undefined ? 'plain' : isMet ? 'met' : 'missed'
  const sign = { plain: '', met: ' ✓', missed: ' ✗' }[kind]
  const end = Math.max(at(value), mark === undefined ? 0 : at(mark))
  return [
    `  <text x="16" y="${y + 13}">${name}</text>`,
    `  <rect class="${kind}${isBusy ? ' busy' : ''}" x="${LEFT}" y="${y + 2}" width="${Math.max(2, round(at(value) - LEFT))}" height="14" rx="2"/>`,
    ...(mark === undefined
      ? []
      : [`  <line class="mark" x1="${at(mark)}" x2="${at(mark)}" y1="${y - 1}" y2="${y + 19}"/>`]),
    `  <text x="${round(end + 8)}" y="${y + 13}">${text}${sign}</text>`,
  ].join('\n')
}

/** From a little below the least to the most of what is drawn. */
function scaleOf(bars: readonly Bar[]): (value: number) => number {
  const all = bars.flatMap(({ value, mark }) => [value, mark ?? 1, 1])
  const [low, high] = [Math.log(Math.min(...all) / 1.5), Math.log(Math.max(...all))]
  return (value) => round(LEFT + ((Math.log(value) - low) / (high - low)) * (WIDTH - LEFT - RIGHT))
}

function summaryOf({ title, bars }: Panel): string {
  return `${title}: ${bars.map(({ name, text }) => `${name} ${text}`).join(', ')}.`
}

function shortText(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 })
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
