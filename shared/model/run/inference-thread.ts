import './no-onnx-telemetry.ts'
import { Worker } from 'node:worker_threads'
import { type ErrorCode, FreshetError } from '@freshet/errors/errors.ts'
import type { RunnableModel } from './onnx-session.ts'

/** One model loaded in a thread of its own; one job at a time. */
export interface ModelThread extends AsyncDisposable {
  /**
   * @param matrix float32, row-major, [rows, columns]; its memory moves to the thread and is gone here.
   * @throws MODEL_RUN_FAILED, also when the thread dies meanwhile
   */
  run(matrix: Float32Array<ArrayBuffer>, rows: number): Promise<Float64Array[]>
  /** Ends the thread now, or as soon as the native code that it is in returns. */
  kill(): Promise<void>
  /** Resolves when the thread is gone, whyever. */
  readonly ended: Promise<void>
}

export type Request =
  | { readonly kind: 'run'; readonly matrix: Float32Array; readonly rows: number; readonly runRows: number }
  | { readonly kind: 'stop' }

export type Reply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'scored'; readonly outputs: Float64Array<ArrayBuffer>[] }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }

const START_DEADLINE_MS = 30_000
const STOP_DEADLINE_MS = 5_000

/**
 * The model's bytes go to the thread in memory.
 * @param runRows rows in one call of the model.
 * @throws MODEL_INVALID, MODEL_RUN_FAILED when the thread does not come up
 */
export async function startInferenceThread(model: RunnableModel, runRows: number): Promise<ModelThread> {
  const { inputs, outputs } = model.spec
  const workerData: RunnableModel = { onnx: new Uint8Array(model.onnx), spec: { inputs, outputs } }
  const thread = new InferenceThread(
    new Worker(new URL('./onnx-worker.ts', import.meta.url), { workerData }),
    runRows,
  )
  try {
    await thread.ready()
    return thread
  } catch (error) {
    await thread.kill()
    throw error
  }
}

class InferenceThread implements ModelThread {
  readonly ended: Promise<void>
  readonly #worker: Worker
  readonly #runRows: number
  #lastError: unknown
  #death: FreshetError | null = null
  #awaited: PromiseWithResolvers<Reply> | null = null

  constructor(worker: Worker, runRows: number) {
    this.#worker = worker
    this.#runRows = runRows
    this.ended = new Promise((resolve) => worker.once('exit', () => resolve()))
    worker.on('message', (reply: Reply) => this.#settle()?.resolve(reply))
    worker.on('error', (error) => (this.#lastError = error))
    worker.once('exit', (code) => {
      this.#death = diedWith(code, this.#lastError)
      this.#settle()?.reject(this.#death)
    })
  }

  async ready(): Promise<void> {
    const deadline = setTimeout(() => void this.kill(), START_DEADLINE_MS)
    try {
      await this.#reply()
    } finally {
      clearTimeout(deadline)
    }
  }

  async run(matrix: Float32Array<ArrayBuffer>, rows: number): Promise<Float64Array[]> {
    const replied = this.#reply()
    this.#tell({ kind: 'run', matrix, rows, runRows: this.#runRows })
    const reply = await replied
    return reply.kind === 'scored' ? reply.outputs : []
  }

  async kill(): Promise<void> {
    await this.#worker.terminate()
  }

  /** Lets the job in hand finish, then ends the thread; one that hangs is not waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#tell({ kind: 'stop' })
    const late = Promise.withResolvers<void>()
    const deadline = setTimeout(() => {
      void this.kill()
      late.resolve()
    }, STOP_DEADLINE_MS)
    await Promise.race([this.ended, late.promise])
    clearTimeout(deadline)
  }

  async #reply(): Promise<Exclude<Reply, { kind: 'failed' }>> {
    if (this.#awaited !== null) throw new FreshetError('BUG', 'an inference thread takes one job at a time')
    if (this.#death !== null) throw this.#death
    this.#awaited = Promise.withResolvers<Reply>()
    const reply = await this.#awaited.promise
    if (reply.kind === 'failed') throw new FreshetError(reply.code, reply.message)
    return reply
  }

  #settle(): PromiseWithResolvers<Reply> | null {
    const awaited = this.#awaited
    this.#awaited = null
    return awaited
  }

  #tell(request: Request): void {
    this.#worker.postMessage(request, request.kind === 'run' ? [request.matrix.buffer as ArrayBuffer] : [])
  }
}

function diedWith(exitCode: number, cause: unknown): FreshetError {
  const reason = cause instanceof Error ? cause.message : `exit code ${exitCode}`
  return new FreshetError('MODEL_RUN_FAILED', `the inference thread died: ${reason}`, { cause })
}
