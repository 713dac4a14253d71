import type { ModelBundle } from '@freshet/model/bundle/bundle.ts'
import { InferencePool } from '@freshet/model/run/inference-pool.ts'
import { verifyBundle } from '@freshet/model/run/verify-bundle.ts'

const PROVE_WITHIN_MS = 60_000

/**
 * Scores the golden rows.
 * @returns what scores them, as it will in production.
 * @throws MODEL_GOLDEN, MODEL_INVALID: before anything is uploaded; DEADLINE after a minute
 */
export async function prove(bundle: ModelBundle): Promise<InferencePool['engine']> {
  await using pool = await InferencePool.start(bundle, { threads: 1, runRows: bundle.golden.length })
  await verifyBundle(bundle, pool, AbortSignal.timeout(PROVE_WITHIN_MS))
  return pool.engine
}
