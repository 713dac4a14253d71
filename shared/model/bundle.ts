import { FreshetError } from '@freshet/errors/errors.ts'
import type { InferencePool } from './inference-pool.ts'
import type { ModelSpec } from './spec.ts'

/** A model as it is pushed, promoted and loaded: three files of one folder or object prefix. */
export interface ModelBundle {
  /** model.json */
  readonly spec: ModelSpec
  /** model.onnx; in memory only, never written to disk. */
  readonly onnx: Uint8Array
  /** golden.ndjson: what the model's author got for these documents. At least one row. */
  readonly golden: readonly GoldenRow[]
}

export interface GoldenRow {
  readonly document: unknown
  /** Expected score by output name. */
  readonly outputs: Readonly<Record<string, number>>
}

export const BUNDLE_FILES = ['model.onnx', 'model.json', 'golden.ndjson'] as const

/** @throws MODEL_MISSING, MODEL_INVALID, MODEL_HASH */
export async function readBundleFolder(folder: string): Promise<ModelBundle> {
  throw new FreshetError('BUG', `not built yet: ${folder}`)
}

/**
 * Scores the golden rows as production would and compares with what the author got.
 * @throws MODEL_GOLDEN naming the worst row, MODEL_RUN_FAILED
 */
export async function verifyBundle(
  bundle: ModelBundle,
  pool: InferencePool,
  signal: AbortSignal,
): Promise<void> {
  throw new FreshetError('BUG', `not built yet: ${bundle.spec.name} ${pool} ${signal}`)
}
