import type { ErrorCode } from '@freshet/errors/errors.ts'
import type { ColumnReport } from './column-sample.ts'

export interface LiveReport {
  readonly documents: number
  readonly scored: number
  readonly columns: readonly ColumnReport[]
  /** The most frequent first. */
  readonly setAside: readonly SetAside[]
  readonly outputs: readonly OutputReport[]
  /** What its author should look at before pushing, in sentences; none: all is as it should be. */
  readonly concerns: readonly string[]
}

export interface SetAside {
  readonly code: ErrorCode
  /** JSON pointer of the field, where it is one. */
  readonly at: string | null
  readonly count: number
}

export interface OutputReport {
  readonly name: string
  /**
   * Population stability index against the golden scores, as the drift metrics have it; null where either are too few to
   * be compared.
   */
  readonly stability: number | null
  /** Of the documents that were scored; null where there were none. */
  readonly scores: {
    readonly min: number
    readonly p10: number
    readonly p50: number
    readonly p90: number
    readonly max: number
    readonly mean: number
  } | null
}
