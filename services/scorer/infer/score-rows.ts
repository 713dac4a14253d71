import { isFreshetError } from '@freshet/errors/errors.ts'
import { type Features, sliceFeatures } from '@freshet/model/features/features.ts'
import type { InferencePool } from '@freshet/model/run/inference-pool.ts'

/** The part of a loaded model that scores. */
export interface Scoring {
  readonly pool: Pick<InferencePool, 'run'>
  /** A row that the model is known to score: tells a broken model from a row that breaks it. */
  readonly probe: Features
  /** Outputs of the model. */
  readonly outputs: readonly string[]
}

export interface RowScores {
  /** One column an output, an entry a row; NaN in rows that failed. */
  readonly columns: readonly Float64Array[]
  /** Why the model fails on a row, by row. */
  readonly failures: ReadonlyMap<number, string>
}

/**
 * Scores all rows at once. When that fails, halves the rows until those that break the model stand alone: one such
 * document (say, a category that an embedding has no place for) must not hold up its partition.
 * @throws MODEL_RUN_FAILED when the model fails on its probe too, and what the pool throws
 */
export async function scoreRows(
  { pool, probe, outputs }: Scoring,
  features: Features,
  signal: AbortSignal,
): Promise<RowScores> {
  const { rows } = features
  const columns = outputs.map(() => new Float64Array(rows).fill(Number.NaN))
  const failures = new Map<number, string>()

  const tryRun = async (from: number, to: number): Promise<string | null> => {
    try {
      const scored = await pool.run(sliceFeatures(features, from, to), signal)
      for (const [output, column] of columns.entries()) column.set(scored[output]!, from)
      return null
    } catch (error) {
      if (!isFreshetError(error, 'MODEL_RUN_FAILED')) throw error
      return error.message
    }
  }
  const scoreRange = async (from: number, to: number): Promise<void> => {
    if ((await tryRun(from, to)) === null) return
    if (to - from === 1) {
      await pool.run(probe, signal)
      const reason = await tryRun(from, to) // again: the first time its thread may have died of something else
      if (reason !== null) failures.set(from, reason)
      return
    }
    const middle = from + Math.ceil((to - from) / 2)
    await scoreRange(from, middle)
    await scoreRange(middle, to)
  }

  if (rows > 0) await scoreRange(0, rows)
  return { columns, failures }
}
