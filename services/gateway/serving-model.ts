import type { ModelBundle } from '@freshet/model/bundle.ts'
import { compileColumns, type RowWriter } from '@freshet/model/columns.ts'
import { InferencePool } from '@freshet/model/inference-pool.ts'
import { verifyBundle } from '@freshet/model/verify-bundle.ts'
import type { ModelIdentity } from '@freshet/records/score-batch.ts'
import type { LiveModel } from './live-rung.ts'

/** Single documents waiting for a thread: at some 50 µs each far below any deadline. */
const MAX_QUEUED = 256

/** A model that has proved its golden rows, with its threads. Retired, it ends once its last job has. */
export class ServingModel implements LiveModel {
  readonly identity: ModelIdentity
  readonly columns: RowWriter
  readonly outputs: readonly string[]
  readonly #pool: InferencePool
  #jobs = 0
  #retired = Promise.withResolvers<void>()
  #isRetired = false

  /** @throws MODEL_INVALID, MODEL_GOLDEN, MODEL_RUN_FAILED */
  static async start(
    { bundle, identity }: { bundle: ModelBundle; identity: ModelIdentity },
    options: { threads: number; signal: AbortSignal },
  ): Promise<ServingModel> {
    const pool = await InferencePool.start(bundle, {
      threads: options.threads,
      runRows: 64,
      maxQueued: MAX_QUEUED,
    })
    try {
      await verifyBundle(bundle, pool, options.signal)
      return new ServingModel(bundle, identity, pool)
    } catch (error) {
      await pool[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor({ spec }: ModelBundle, identity: ModelIdentity, pool: InferencePool) {
    this.identity = identity
    this.columns = compileColumns(spec.inputs.columns)
    this.outputs = spec.outputs.map(({ name }) => name)
    this.#pool = pool
  }

  get label(): string {
    return `${this.identity.name}@${this.identity.version}`
  }

  async run(matrix: Float32Array, rows: number, signal: AbortSignal): Promise<Float64Array[]> {
    this.#jobs++
    try {
      return await this.#pool.run(matrix, rows, signal)
    } finally {
      this.#jobs--
      if (this.#isRetired && this.#jobs === 0) this.#retired.resolve()
    }
  }

  /** Every job has a deadline, so this ends too. */
  async retire(): Promise<void> {
    this.#isRetired = true
    if (this.#jobs > 0) await this.#retired.promise
    await this.#pool[Symbol.asyncDispose]()
  }
}
