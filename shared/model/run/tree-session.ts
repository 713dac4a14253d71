import type { Features } from '../features/features.ts'
import type { LeafTables } from '../trees/leaf-tables.ts'
import { TreeScorer } from '../trees/tree-scorer.ts'
import type { ModelScores, OnnxSession } from './onnx-session.ts'
import { replaceNotFinite, type ScoreColumn } from './score-columns.ts'

/** A model as leaf tables: what one thread has proved, and others may score with. */
export interface TreeModel {
  readonly tables: LeafTables
  /** Columns of a row. */
  readonly width: number
  /** All of them the one score that a row has. */
  readonly outputs: readonly ScoreColumn[]
}

/** A tree model without ONNX Runtime. */
export class TreeSession implements OnnxSession {
  readonly outputs: readonly ScoreColumn[]
  readonly #scorer: TreeScorer

  constructor({ tables, width, outputs }: TreeModel) {
    this.#scorer = new TreeScorer(tables, width)
    this.outputs = outputs
  }

  score(features: Features): Promise<ModelScores> {
    return Promise.resolve(this.scoreNow(features))
  }

  scoreNow({ rows, numbers }: Features): ModelScores {
    let replaced = 0
    const columns = this.outputs.map(({ whenNotFinite }) => {
      const column = new Float64Array(rows)
      this.#scorer.score(numbers as Float32Array, column)
      replaced += replaceNotFinite(column, whenNotFinite)
      return column
    })
    return { columns, replaced }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
