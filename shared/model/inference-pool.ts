import { FreshetError } from '@freshet/errors/errors.ts'
import type { ModelBundle } from './bundle.ts'

export interface PoolOptions {
  readonly threads: number
  /** Rows in one call of the model; for tree models a bigger call is slower per row. */
  readonly runRows: number
  /** Jobs that may wait for a thread; one more is refused with QUEUE_FULL. Default 64. */
  readonly maxQueued?: number
}

/** Runs a model in worker threads, because ONNX Runtime's `run` blocks the thread that calls it. */
export class InferencePool implements AsyncDisposable {
  /** @throws MODEL_INVALID when the model cannot be loaded or its shapes are not those of its spec */
  static async start(bundle: ModelBundle, options: PoolOptions): Promise<InferencePool> {
    throw new FreshetError('BUG', `not built yet: ${bundle.spec.name} ${options.threads}`)
  }

  /**
   * @param matrix float32, row-major, at least rows × columns long. Copied before the call returns: it is yours again.
   * @param rows ≥ 0.
   * @returns one column of `rows` scores for each output of the spec, in its order.
   * @throws QUEUE_FULL, DEADLINE as soon as `signal` aborts, MODEL_RUN_FAILED when the model or its thread fails
   */
  run(matrix: Float32Array, rows: number, signal: AbortSignal): Promise<Float64Array[]> {
    return Promise.reject(new FreshetError('BUG', `not built yet: ${matrix.length} ${rows} ${signal}`))
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
