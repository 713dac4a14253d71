import { median } from './measure.ts'

/** What a process held when it had handled so many documents. */
export interface MemoryPoint extends Memory {
  readonly documents: number
}

export interface Memory {
  /** All that the kernel counts. */
  readonly rssMiB: number
  /** Objects, dead ones too that were not yet collected. */
  readonly heapMiB: number
  /** Bytes outside of the heap that objects hold. */
  readonly externalMiB: number
}

const MILLION = 1_000_000

/** @returns MiB a million documents: the slope of the line through all points with the least squares; 0 for one point */
export function slopeOf(points: readonly MemoryPoint[], what: keyof Memory): number {
  const meanX = mean(points.map(({ documents }) => documents / MILLION))
  const meanY = mean(points.map((point) => point[what]))
  let covariance = 0
  let variance = 0
  for (const point of points) {
    const x = point.documents / MILLION - meanX
    covariance += x * (point[what] - meanY)
    variance += x * x
  }
  return variance === 0 ? 0 : covariance / variance
}

/** Medians of each million, e.g. `rssMiBAt1M` of the first. */
export function curveOf(points: readonly MemoryPoint[]): Record<string, number> {
  const curve: Record<string, number> = {}
  const millions = Map.groupBy(points, ({ documents }) => Math.max(1, Math.ceil(documents / MILLION)))
  for (const what of ['rssMiB', 'heapMiB', 'externalMiB'] as const)
    for (const [million, some] of [...millions].toSorted(([a], [b]) => a - b))
      curve[`${what}At${million}M`] = median(some.map((point) => point[what]))
  return curve
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
