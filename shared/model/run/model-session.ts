import type { ModelSpec } from '../bundle/spec.ts'
import type { Features } from '../features/features.ts'
import type { ScoreColumn } from './score-columns.ts'

/** What a thread needs of a bundle: the model and how to feed it. */
export interface RunnableModel {
  readonly onnx: Uint8Array
  readonly spec: Pick<ModelSpec, 'inputs' | 'outputs'>
}

/** A loaded model on this thread. `score` blocks the thread although it returns a promise: ONNX Runtime does. */
export interface ModelSession extends AsyncDisposable {
  /** Where the scores of each output of the spec stand, in its order. */
  readonly outputs: readonly ScoreColumn[]
  /**
   * @param runRows rows in one call of the model.
   * @throws MODEL_RUN_FAILED
   */
  score(features: Features, runRows: number): Promise<ModelScores>
}

export interface ModelScores {
  /** One column of scores for each output of the spec. */
  readonly columns: Float64Array<ArrayBuffer>[]
  /** Scores that were NaN or infinite, and for which the spec names another. */
  readonly replaced: number
}
