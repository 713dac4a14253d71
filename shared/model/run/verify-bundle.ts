import { FreshetError } from '@freshet/errors/errors.ts'
import type { GoldenRow, ModelBundle } from '../bundle/bundle.ts'
import { compileColumns } from '../features/columns.ts'
import type { InferencePool } from './inference-pool.ts'

/**
 * Scores the golden rows as production would and compares with what the model's author got. (Hash, form and external
 * data are checked when a bundle is read, shapes when a pool starts.)
 * @param pool started with this bundle.
 * @throws MODEL_GOLDEN naming the worst row; MODEL_RUN_FAILED, DEADLINE
 */
export async function verifyBundle(
  bundle: ModelBundle,
  pool: InferencePool,
  signal: AbortSignal,
): Promise<void> {
  const { golden, spec } = bundle
  const columns = await pool.run(goldenMatrix(bundle), golden.length, signal)
  const worst = findWorst(golden, columns, spec.outputs)
  if (worst.error <= spec.golden.tolerance) return
  throw new FreshetError(
    'MODEL_GOLDEN',
    `golden row ${worst.row + 1}: ${worst.output} is ${worst.found}, its author got ${worst.expected} (tolerance ${spec.golden.tolerance})`,
  )
}

function goldenMatrix({ golden, spec }: ModelBundle): Float32Array {
  const writer = compileColumns(spec.inputs.columns)
  const matrix = new Float32Array(golden.length * writer.width)
  for (const [row, { document }] of golden.entries()) {
    const problem = writer.write(document, matrix, row)
    if (problem) throw new FreshetError('MODEL_GOLDEN', `golden row ${row + 1}: ${problem.message}`)
  }
  return matrix
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
