import { floatBelow } from './float-below.ts'
import type { LeafTables } from './leaf-tables.ts'

const EVERYWHERE = [
  0,
  -0,
  1,
  -1,
  3.4e38,
  -3.4e38,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
]

/**
 * Rows that a mistake in the tables would show in: each column at one of its thresholds, just below it, just above, or at
 * a value that is special everywhere.
 * @param random uniform in [0, 1).
 */
export function probeRows(
  { columns }: Pick<LeafTables, 'columns'>,
  { rows, width, random }: { rows: number; width: number; random: () => number },
): Float32Array {
  const features = new Float32Array(rows * width)
  const choose = (values: ArrayLike<number>) => values[Math.floor(random() * values.length)]!
  for (let at = 0; at < features.length; at++) features[at] = choose(EVERYWHERE)
  for (const { column, thresholds } of columns)
    for (let row = 0; row < rows; row++) {
      const threshold = choose(thresholds)
      const near = [threshold, floatBelow(threshold), -floatBelow(-threshold), choose(EVERYWHERE)]
      features[row * width + column] = choose(near)
    }
  return features
}
