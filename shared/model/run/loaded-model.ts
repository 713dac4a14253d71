import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { ModelIdentity } from '@freshet/records/score-batch.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import type { ModelBundle } from '../bundle/bundle.ts'
import { loadBundle } from '../bundle/bundle-store.ts'
import type { PinnedModel } from '../bundle/model-pointer.ts'
import type { ModelSpec } from '../bundle/spec.ts'
import type { RowWriter } from '../features/columns.ts'
import type { Features } from '../features/features.ts'
import { rowWriterOf } from '../features/row-writer-of.ts'
import { MAX_RUN_ROWS } from './calibrate.ts'
import { goldenFeatures } from './golden-features.ts'
import { InferencePool, type PoolOptions } from './inference-pool.ts'
import { verifyBundle } from './verify-bundle.ts'

/** A model that has proved itself on its golden rows, ready to score. */
export interface LoadedModel {
  /** `name@version` */
  readonly label: string
  readonly spec: ModelSpec
  /** Names, in the order of the columns that the pool gives. */
  readonly outputs: readonly string[]
  /** Of its columns, as JSON pointers into a document. */
  readonly paths: readonly string[]
  readonly writer: RowWriter
  /** The same with counts of its own, for documents that say nothing of what comes in now. */
  readonly backgroundWriter: RowWriter
  readonly pool: InferencePool
  /** A row that the model is known to score: tells a broken model from a row that breaks it. */
  readonly probe: Features
  /** By output, in order: the scores of the golden rows. */
  readonly goldenScores: ReadonlyMap<string, readonly number[]>
}

/** One that is promoted. */
export interface ServingModel extends LoadedModel {
  readonly identity: ModelIdentity
  /** Wall-clock milliseconds. */
  readonly promotedAtMs: number
}

/** @throws MODEL_MISSING, MODEL_HASH, MODEL_INVALID, MODEL_GOLDEN, MODEL_RUN_FAILED, and what the store throws */
export async function loadModel(
  store: ObjectStore,
  model: PinnedModel,
  options: PoolOptions,
  signal: AbortSignal,
): Promise<LoadedModel> {
  return await startModel(await loadBundle(store, model, signal), options, signal)
}

/** @throws MODEL_INVALID, MODEL_GOLDEN, MODEL_RUN_FAILED */
export async function startModel(
  bundle: ModelBundle,
  options: PoolOptions,
  signal: AbortSignal,
): Promise<LoadedModel> {
  const pool = await InferencePool.start(bundle, options)
  try {
    await verifyBundle(bundle, pool, signal)
    if (options.runRows === 'auto') await pool.calibrate(goldenFeatures(bundle, MAX_RUN_ROWS), signal)
  } catch (error) {
    await pool[Symbol.asyncDispose]()
    throw error
  }
  return {
    label: modelLabel(bundle.spec),
    spec: bundle.spec,
    outputs: bundle.spec.outputs.map(({ name }) => name),
    paths: bundle.spec.inputs.columns.map(({ path }) => path),
    writer: rowWriterOf(bundle),
    backgroundWriter: rowWriterOf(bundle),
    pool,
    probe: goldenFeatures(bundle, 1),
    goldenScores: new Map(
      bundle.spec.outputs.map(({ name }) => [name, bundle.golden.map(({ outputs }) => outputs[name]!)]),
    ),
  }
}
