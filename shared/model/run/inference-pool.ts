import { FreshetError } from '@freshet/errors/errors.ts'
import { type ModelThread, startInferenceThread } from './inference-thread.ts'
import type { RunnableModel } from './onnx-session.ts'

export interface PoolOptions {
  readonly threads: number
  /** Rows in one call of the model; for tree models a bigger call is slower per row. */
  readonly runRows: number
  /** Jobs that may wait for a thread; one more is refused with QUEUE_FULL. Default 64. */
  readonly maxQueued?: number
  /** A job that a thread has not done by then has hung: the thread is given up. Default 30 s. */
  readonly jobDeadlineMs?: number
}

const MAX_QUEUED = 64
const JOB_DEADLINE_MS = 30_000

/** Runs a model in worker threads, because ONNX Runtime's `run` blocks the thread that calls it. */
export class InferencePool implements AsyncDisposable {
  readonly #shape: PoolShape
  readonly #spawn: () => Promise<ModelThread>
  readonly #threads = new Set<ModelThread>()
  readonly #idle: ModelThread[] = []
  readonly #waiting: Job[] = []
  /** Given up, and still running: native code cannot be interrupted. */
  readonly #strays = new Set<ModelThread>()
  #starting = 0
  #isClosed = false

  /** @throws MODEL_INVALID when the model cannot be loaded or its shapes are not those of its spec */
  static async start(model: RunnableModel, options: PoolOptions): Promise<InferencePool> {
    const { inputs, outputs } = model.spec
    const shape = { ...options, columns: inputs.columns.length, outputs: outputs.length }
    return InferencePool.over(() => startInferenceThread(model, options.runRows), shape)
  }

  /** The same over threads from elsewhere. */
  static async over(spawn: () => Promise<ModelThread>, shape: PoolShape): Promise<InferencePool> {
    const pool = new InferencePool(spawn, shape)
    try {
      await Promise.all(Array.from({ length: shape.threads }, () => pool.#startThread()))
      return pool
    } catch (error) {
      await pool[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(spawn: () => Promise<ModelThread>, shape: PoolShape) {
    this.#spawn = spawn
    this.#shape = shape
  }

  /**
   * Spreads the rows over the threads that are idle; without one, they wait together for the next.
   * @param matrix float32, row-major, at least rows × columns long. Copied before the call returns: it is yours again.
   * @returns one column of `rows` scores for each output of the spec, in its order.
   * @throws QUEUE_FULL; DEADLINE as soon as `signal` aborts; MODEL_RUN_FAILED when the model or its thread fails or hangs
   */
  async run(matrix: Float32Array, rows: number, signal: AbortSignal): Promise<Float64Array[]> {
    const { columns, runRows, outputs } = this.#shape
    if (matrix.length < rows * columns)
      throw new FreshetError('BUG', `a matrix of ${matrix.length} floats for ${rows} rows of ${columns}`)
    const parts = Math.max(1, Math.min(this.#idle.length, Math.ceil(rows / runRows)))
    const partRows = Math.ceil(rows / parts)
    const scored: Promise<Float64Array[]>[] = []
    for (let from = 0; from < rows; from += partRows) {
      const to = Math.min(rows, from + partRows)
      scored.push(this.#submit(matrix.slice(from * columns, to * columns), to - from, signal))
    }
    return join(await Promise.all(scored), rows, outputs)
  }

  /** Lets running jobs finish; waiting ones are refused. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#refuseWaiting(new FreshetError('MODEL_RUN_FAILED', 'the inference pool is closed'))
    await Promise.all([...this.#threads].map((thread) => thread[Symbol.asyncDispose]()))
  }

  #submit(matrix: Float32Array<ArrayBuffer>, rows: number, signal: AbortSignal): Promise<Float64Array[]> {
    const { maxQueued = MAX_QUEUED } = this.#shape
    if (this.#isClosed)
      return Promise.reject(new FreshetError('MODEL_RUN_FAILED', 'the inference pool is closed'))
    if (signal.aborted) return Promise.reject(deadline(signal))
    if (this.#idle.length === 0 && this.#waiting.length >= maxQueued)
      return Promise.reject(new FreshetError('QUEUE_FULL', `${maxQueued} jobs wait for the model already`))
    const { promise, resolve, reject } = Promise.withResolvers<Float64Array[]>()
    const job: Job = { matrix, rows, resolve, reject }
    const onAbort = () => {
      const at = this.#waiting.indexOf(job)
      if (at >= 0) this.#waiting.splice(at, 1)
      reject(deadline(signal))
    }
    signal.addEventListener('abort', onAbort, { once: true })
    this.#waiting.push(job)
    this.#startMissing()
    this.#assign()
    return promise.finally(() => signal.removeEventListener('abort', onAbort))
  }

  #assign(): void {
    while (this.#idle.length > 0 && this.#waiting.length > 0)
      void this.#work(this.#idle.pop()!, this.#waiting.shift()!)
  }

  async #work(thread: ModelThread, job: Job): Promise<void> {
    const { jobDeadlineMs = JOB_DEADLINE_MS } = this.#shape
    const late = setTimeout(() => this.#giveUp(thread, job, jobDeadlineMs), jobDeadlineMs)
    await thread.run(job.matrix, job.rows).then(job.resolve, job.reject)
    clearTimeout(late)
    if (this.#threads.has(thread)) this.#idle.push(thread)
    this.#assign()
  }

  /** A thread in native code ends when that returns, if ever: it is told to, and another takes its place at once. */
  #giveUp(thread: ModelThread, job: Job, afterMs: number): void {
    job.reject(new FreshetError('MODEL_RUN_FAILED', `the model did not answer within ${afterMs} ms`))
    this.#strays.add(thread)
    void thread.ended.then(() => this.#strays.delete(thread))
    void thread.kill().catch(() => {})
    this.#forget(thread)
  }

  /**
   * Threads that died or hang are replaced; when none comes up, nobody waits for it: the next job tries again. With as
   * many strays as threads there are no more: a model that always hangs must not take the machine.
   */
  #startMissing(): void {
    const { threads } = this.#shape
    const wanted = Math.min(threads, 2 * threads - this.#strays.size)
    if (wanted <= 0 && this.#threads.size === 0) this.#refuseWaiting(allHang(threads))
    for (let missing = wanted - this.#threads.size - this.#starting; missing > 0; missing--)
      this.#startThread().catch((error: unknown) => {
        if (this.#threads.size === 0 && this.#starting === 0) this.#refuseWaiting(error)
      })
  }

  async #startThread(): Promise<void> {
    this.#starting++
    const thread = await this.#spawn().finally(() => this.#starting--)
    if (this.#isClosed) return await thread[Symbol.asyncDispose]()
    this.#threads.add(thread)
    this.#idle.push(thread)
    void thread.ended.then(() => this.#forget(thread))
    this.#assign()
  }

  #forget(thread: ModelThread): void {
    this.#threads.delete(thread)
    const at = this.#idle.indexOf(thread)
    if (at >= 0) this.#idle.splice(at, 1)
    if (!this.#isClosed) this.#startMissing()
  }

  #refuseWaiting(error: unknown): void {
    for (const job of this.#waiting.splice(0)) job.reject(error)
  }
}

interface PoolShape extends PoolOptions {
  readonly columns: number
  readonly outputs: number
}

interface Job {
  readonly matrix: Float32Array<ArrayBuffer>
  readonly rows: number
  readonly resolve: (outputs: Float64Array[]) => void
  readonly reject: (error: unknown) => void
}

function allHang(threads: number): FreshetError {
  return new FreshetError(
    'MODEL_RUN_FAILED',
    `the model hangs in ${2 * threads} threads; no more are started`,
  )
}

function deadline(signal: AbortSignal): FreshetError {
  return new FreshetError('DEADLINE', 'the time was over before the model answered', { cause: signal.reason })
}

/** Parts below each other, output by output. */
function join(parts: readonly Float64Array[][], rows: number, outputs: number): Float64Array[] {
  if (parts.length === 1) return parts[0]!
  return Array.from({ length: outputs }, (_, output) => {
    const column = new Float64Array(rows)
    let at = 0
    for (const part of parts) {
      column.set(part[output]!, at)
      at += part[output]!.length
    }
    return column
  })
}
