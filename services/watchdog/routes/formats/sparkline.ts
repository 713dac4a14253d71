import { formatSeconds, formatShare } from '../../format.ts'
import type { Trend } from '../notice.ts'

const BARS = '▁▂▃▄▅▆▇█'
const MAX_BARS = 24

/**
 * One bar for each value, oldest first; the highest bar is the highest value, or the threshold where that is higher, so
 * that what lies far below it looks low. Not a number: a gap.
 */
export function sparkline({ values, threshold }: Pick<Trend, 'values' | 'threshold'>): string {
  const shown = values.slice(-MAX_BARS)
  const real = [...shown, threshold].filter(Number.isFinite)
  const range = { lowest: Math.min(0, ...real), highest: Math.max(0, ...real) }
  return shown.map((value) => bar(value, range)).join('')
}

function bar(
  value: number,
  { lowest, highest }: { readonly lowest: number; readonly highest: number },
): string {
  if (!Number.isFinite(value)) return ' '
  const span = highest / 2 - lowest / 2 // halves: the whole of two large numbers may be none any more
  const share = span === 0 ? 0 : (value / 2 - lowest / 2) / span
  return BARS[Math.min(BARS.length - 1, Math.round(share * (BARS.length - 1)))]!
}

/** `▁▂▅▇ 42 s, threshold 30 s`. A share from 0 to 1 reads as a percentage. */
export function describeTrend(trend: Trend): string {
  const { values, unit, threshold } = trend
  return `${sparkline(trend)} ${figure(values.at(-1) ?? Number.NaN, unit)}, threshold ${figure(threshold, unit)}`
}

function figure(value: number, unit: string): string {
  if (!Number.isFinite(value)) return 'unknown'
  if (unit === 's') return formatSeconds(value)
  if (unit === 'share') return formatShare(value)
  return unit === '' ? round(value) : `${round(value)} ${unit}`
}

/** Three digits are enough to see how bad it is. */
function round(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en-US', { maximumFractionDigits: digits })
}
