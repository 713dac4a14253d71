import { type Features, sliceFeatures } from '../features/features.ts'
import type { OnnxSession } from './onnx-session.ts'

export interface Calibration {
  /** Rows in one call of the model that cost the least a row. */
  readonly runRows: number
  /** CPU time that it took. */
  readonly microsPerRow: number
}

/** Rows in one call of the model: for trees a small call is cheap a row, for neural networks a big one. */
export const RUN_ROWS = [16, 32, 64, 128, 256, 512, 1_024] as const
export const MAX_RUN_ROWS = 1_024

const ROUNDS = 3
/** All rounds together, however slow the model: it is waited for. */
const BUDGET_MICROS = 600_000
/** As good as the best: then the smaller call it is, which needs less memory. */
const EQUAL = 1.03

/**
 * @param features real ones, as many as the biggest call: the path through a tree depends on them.
 * @param cpuMicros of the calling thread.
 * @throws MODEL_RUN_FAILED
 */
export async function calibrate(
  session: Pick<OnnxSession, 'score'>,
  features: Features,
  cpuMicros: () => number,
): Promise<Calibration> {
  const measure = async (rows: number, runRows: number) => {
    const from = cpuMicros()
    await session.score(sliceFeatures(features, 0, rows), runRows)
    return (cpuMicros() - from) / rows
  }
  const smallest = Math.min(RUN_ROWS[0], features.rows)
  await measure(smallest, smallest) // the first call allocates
  const roughly = await measure(smallest, smallest)
  const affordable = Math.floor(BUDGET_MICROS / (ROUNDS * RUN_ROWS.length * Math.max(roughly, 0.01)))
  const rows = Math.max(smallest, Math.min(affordable, features.rows))
  const candidates = RUN_ROWS.filter((runRows) => runRows === RUN_ROWS[0] || runRows <= rows)

  const micros = new Map<number, number>()
  for (let round = 0; round < ROUNDS; round++)
    for (const runRows of candidates)
      micros.set(
        runRows,
        Math.min(micros.get(runRows) ?? Number.POSITIVE_INFINITY, await measure(rows, runRows)),
      )
  const least = Math.min(...micros.values())
  const runRows = candidates.find((candidate) => micros.get(candidate)! <= least * EQUAL)!
  return { runRows, microsPerRow: micros.get(runRows)! }
}
