import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { GoldenRow, ModelBundle } from '../bundle/bundle.ts'
import { type Features, sliceFeatures } from '../features/features.ts'
import { goldenFeatures } from './golden-features.ts'
import type { InferencePool } from './inference-pool.ts'

/** So many rows are scored alone, too. */
const ALONE_ROWS = 8

/**
 * Scores the golden rows as production would and compares with what the model's author got: together, and some alone,
 * because a score must not depend on what else is in the call. (Hash, form and external data are checked when a bundle is
 * read, shapes when a pool starts.)
 * @param pool started with this bundle.
 * @throws MODEL_GOLDEN naming the worst row, or why the model fails on them; DEADLINE
 */
export async function verifyBundle(
  bundle: ModelBundle,
  pool: Pick<InferencePool, 'run'>,
  signal: AbortSignal,
): Promise<void> {
  const { length } = bundle.golden
  // At least two: a model of one row a call is none.
  const together = goldenFeatures(bundle, Math.max(length, 2))
  compare(bundle, await scoreGolden(pool, together, signal), 'golden row')
  for (let row = 0; row < Math.min(length, ALONE_ROWS); row++) {
    const alone = await scoreGolden(pool, sliceFeatures(together, row, row + 1), signal)
    compare({ ...bundle, golden: [bundle.golden[row]!] }, alone, 'scored alone, golden row', row)
  }
}

/** Once more where it fails: its thread may have died of something else. Then it is the model. */
async function scoreGolden(
  pool: Pick<InferencePool, 'run'>,
  features: Features,
  signal: AbortSignal,
): Promise<Float64Array[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await pool.run(features, signal)
    } catch (error) {
      if (!isFreshetError(error, 'MODEL_RUN_FAILED')) throw error
      if (attempt === 2)
        throw new FreshetError('MODEL_GOLDEN', `the model fails on its golden rows: ${error.message}`, {
          cause: error,
        })
    }
  }
}

function compare(
  { golden, spec }: Pick<ModelBundle, 'golden' | 'spec'>,
  columns: readonly Float64Array[],
  place: string,
  firstRow = 0,
): void {
  const { row, error, output, found, expected } = findWorst(golden, columns, spec.outputs)
  const { tolerance } = spec.golden
  if (error <= tolerance) return
  throw new FreshetError(
    'MODEL_GOLDEN',
    `${place} ${firstRow + row + 1}: ${output} is ${found}, its author got ${expected} (tolerance ${tolerance})`,
  )
}

interface Difference {
  readonly row: number
  readonly output: string
  readonly found: number
  readonly expected: number
  /** Absolute where the expected score is within ±1, else relative; infinite when nothing finite was found. */
  readonly error: number
}

function findWorst(
  golden: readonly GoldenRow[],
  columns: readonly Float64Array[],
  outputs: readonly { readonly name: string }[],
): Difference {
  let worst: Difference = { row: 0, output: '', found: 0, expected: 0, error: 0 }
  for (const [index, { name: output }] of outputs.entries())
    for (const [row, { outputs: author }] of golden.entries()) {
      const found = columns[index]![row]!
      const expected = author[output]!
      const difference = Math.abs(found - expected) / Math.max(1, Math.abs(expected))
      const error = Number.isFinite(found) ? difference : Number.POSITIVE_INFINITY
      if (error > worst.error) worst = { row, output, found, expected, error }
    }
  return worst
}
