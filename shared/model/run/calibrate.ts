import { type Features, sliceFeatures } from '../features/features.ts'
import type { ModelSession } from './model-session.ts'

export interface Calibration {
  /** Rows in one call of the model that cost the least a row. */
  readonly runRows: number
  /** What a row cost then. */
  readonly microsPerRow: number
}

/** Rows in one call of the model: for trees a small call is cheap a row, for neural networks a big one. */
export const RUN_ROWS = [16, 32, 64, 128, 256, 512, 1_024] as const
export const MAX_RUN_ROWS = Math.max(...RUN_ROWS)

/** Of each call the fastest counts: the others were disturbed by whoever else uses the machine. */
export const ROUNDS = 5
/** All rounds together, however slow the model: it is waited for. */
const BUDGET_MICROS = 600_000
/** As good as the best: then the smaller call it is, which needs less memory. */
const EQUAL = 1.03

/**
 * @param features real ones, as many as the biggest call: the path through a tree depends on them.
 * @param nowMicros of a clock that only goes forward. (CPU time of one thread is counted in steps of milliseconds.)
 * @throws MODEL_RUN_FAILED
 */
export async function calibrate(
  session: Pick<ModelSession, 'score'>,
  features: Features,
  nowMicros: () => number,
): Promise<Calibration> {
  const measure = async (from: number, to: number) => {
    const startedAt = nowMicros()
    await session.score(sliceFeatures(features, from, to), to - from)
    return nowMicros() - startedAt
  }
  const smallest = Math.min(RUN_ROWS[0], features.rows)
  await measure(0, smallest) // the first call allocates
  const roughly = (await measure(0, smallest)) / smallest
  const affordable = Math.floor(BUDGET_MICROS / (ROUNDS * RUN_ROWS.length * Math.max(roughly, 0.01)))
  const rows = Math.max(smallest, Math.min(affordable, features.rows))
  const candidates = RUN_ROWS.filter((runRows) => runRows === RUN_ROWS[0] || runRows <= rows)

  const fastest = candidates.map((runRows) =>
    new Float64Array(Math.ceil(rows / runRows)).fill(Number.POSITIVE_INFINITY),
  )
  for (let round = 0; round < ROUNDS; round++)
    for (const [index, runRows] of candidates.entries())
      for (const [call, micros] of fastest[index]!.entries()) {
        const from = call * runRows
        fastest[index]![call] = Math.min(micros, await measure(from, Math.min(rows, from + runRows)))
      }
  const microsPerRow = fastest.map((calls) => calls.reduce((sum, micros) => sum + micros, 0) / rows)
  const good = Math.min(...microsPerRow) * EQUAL
  const index = microsPerRow.findIndex((micros) => micros <= good)
  return { runRows: candidates[index]!, microsPerRow: microsPerRow[index]! }
}
