import type { Features } from '../features/features.ts'
import type { LeafTables } from '../trees/leaf-tables.ts'
import { TreeScorer } from '../trees/tree-scorer.ts'
import type { ModelScores, ModelSession } from './model-session.ts'
import { replaceNotFinite, type ScoreColumn } from './score-columns.ts'

/** A model as leaf tables: what one thread has proved, and others may score with. */
export interface TreeModel {
  readonly tables: LeafTables
  /** Columns of a row. */
  readonly width: number
  /** All of them the one score that a row has. */
  readonly outputs: readonly ScoreColumn[]
  /** As it was measured when they were proved. */
  readonly microsPerRow: number
}

/** A tree model without ONNX Runtime. */
export class TreeSession implements ModelSession {
  readonly outputs: readonly ScoreColumn[]
  readonly microsPerRow: number
  readonly #scorer: TreeScorer

  constructor({ tables, width, outputs, microsPerRow }: TreeModel) {
    this.#scorer = new TreeScorer(tables, width)
    this.outputs = outputs
    this.microsPerRow = microsPerRow
  }

  /** All rows at once: how many go into a call is a question of ONNX Runtime. */
  score(features: Features): Promise<ModelScores> {
    return Promise.resolve(this.scoreNow(features))
  }

  scoreNow({ rows, numbers }: Features): ModelScores {
    const scores = new Float64Array(rows)
    this.#scorer.score(numbers as Float32Array, scores)
    let replaced = 0
    const columns = this.outputs.map(({ whenNotFinite }) => {
      const column = scores.slice()
      replaced += replaceNotFinite(column, whenNotFinite)
      return column
    })
    return { columns, replaced }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
