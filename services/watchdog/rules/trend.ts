import { formatSeconds } from '../format.ts'

interface Point {
  readonly atMs: number
  readonly value: number
}

/** Shorter ago says nothing: figures jump a little from look to look. */
const AT_LEAST_MS = 20_000

/**
 * Where a figure goes, in words: `falling, below 60 in about 4 min`. Pure.
 * @param earlier oldest first
 */
export function trendOf(now: Point, earlier: readonly Point[], threshold: number): string {
  const before = earlier.findLast(({ atMs }) => now.atMs - atMs >= AT_LEAST_MS)
  if (before === undefined) return 'not known yet'
  const perSecond = (now.value - before.value) / ((now.atMs - before.atMs) / 1_000)
  if (perSecond > 0.05) return 'growing'
  if (perSecond > -0.05) return 'steady'
  return `falling, below ${threshold} in about ${formatSeconds((now.value - threshold) / -perSecond)}`
}
