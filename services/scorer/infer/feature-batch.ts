import type { Features } from '@freshet/model/features/features.ts'
import type { TraceContext } from '@freshet/records/change.ts'
import type { ScoreRows } from '@freshet/records/score-batch.ts'
import type { DeadMessage } from '../dead-letters.ts'
import type { ChangeMessage } from './change-message.ts'

/**
 * (3) A micro-batch as columns: what stores need of every row, and the model's input for those that it can score. The
 * one state of a document that never leaves its process, so it has no codec and stands here.
 */
export interface FeatureBatch {
  /** Offsets of the first and last change, both inclusive. */
  readonly fromOffset: number
  readonly toOffset: number
  /** Every change whose revision could be read, in order; no outputs yet. */
  readonly rows: ScoreRows
  /** The message of each row. */
  readonly messages: readonly ChangeMessage[]
  /** One row for each entry of `scorable`. */
  readonly features: Features
  /** Row i of the features belongs to row `scorable[i]` of `rows`. */
  readonly scorable: Uint32Array
  readonly dead: readonly DeadMessage[]
  /** The spans that produced the changes, each once for those that stand together. */
  readonly origins: readonly TraceContext[]
}
