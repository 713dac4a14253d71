import './no-onnx-telemetry.ts'
import { Worker } from 'node:worker_threads'
import { type ErrorCode, FreshetError } from '@freshet/errors/errors.ts'
import { compileCacheEnv } from '@freshet/stage/compile-cache-env.ts'
import type { Features } from '../features/features.ts'
import type { Calibration } from './calibrate.ts'
import type { ModelScores, RunnableModel } from './model-session.ts'
import { RowMemory } from './row-memory.ts'
import type { TreeModel } from './tree-session.ts'

/** One model loaded in a thread of its own; one job at a time. */
export interface ModelThread extends AsyncDisposable {
  /**
   * @param features are copied before the call returns.
   * @param runRows rows in one call of the model.
   * @throws MODEL_RUN_FAILED, also when the thread dies meanwhile
   */
  run(features: Features, runRows: number): Promise<ModelScores>
  /** Tries how many rows a call cost the least. @throws as `run` does */
  calibrate(features: Features): Promise<Calibration>
  /**
   * Ends the thread as soon as the native code that it is in returns, if ever; nothing waits for it. Never before: a thread
   * that is terminated under ONNX Runtime takes the whole process along (SIGABRT) when its call returns.
   */
  retire(): void
  /** Of a tree model: tables that this thread has proved, for whoever wants to score without a thread. Given away once. */
  takeTrees(): TreeModel | null
  /** Resolves when the thread is gone, whyever. */
  readonly ended: Promise<void>
}

export type Request =
  | { readonly kind: 'run'; readonly features: Features; readonly runRows: number }
  | { readonly kind: 'calibrate'; readonly features: Features }
  | { readonly kind: 'stop' }

export type Reply =
  | { readonly kind: 'ready'; readonly trees: TreeModel | null }
  | { readonly kind: 'scored'; readonly scores: ModelScores }
  | { readonly kind: 'calibrated'; readonly calibration: Calibration }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }

/** What a thread is started with. */
export interface ThreadOrder extends RunnableModel {
  readonly niceness: number
}

export interface ThreadOptions {
  /** On Linux: above 0, the thread leaves the cores to others that want one; 19 the most. Default 0. */
  readonly niceness?: number
  /** A model that has not loaded by then never will: it is refused. Default 30 s. */
  readonly loadDeadlineMs?: number
  /** Default: model-worker.ts. */
  readonly program?: URL
}

const LOAD_DEADLINE_MS = 30_000
const STOP_DEADLINE_MS = 5_000
const PROGRAM = new URL('./model-worker.ts', import.meta.url)

/**
 * The model's bytes go to the thread in memory, which all threads of a model share when they are shared already.
 * @throws MODEL_INVALID when it does not load, or not in time; MODEL_RUN_FAILED when the thread does not come up
 */
export async function startInferenceThread(
  { onnx, spec: { inputs, outputs } }: RunnableModel,
  { niceness = 0, loadDeadlineMs = LOAD_DEADLINE_MS, program = PROGRAM }: ThreadOptions = {},
): Promise<ModelThread> {
  const workerData: ThreadOrder = { onnx, spec: { inputs, outputs }, niceness }
  const thread = new InferenceThread(
    new Worker(program, { workerData, env: { ...process.env, ...compileCacheEnv() } }),
  )
  const late = setTimeout(() => thread.giveUp(loadsTooLong(loadDeadlineMs)), loadDeadlineMs)
  try {
    await thread.ready()
    return thread
  } catch (error) {
    thread.retire()
    throw error
  } finally {
    clearTimeout(late)
  }
}

class InferenceThread implements ModelThread {
  readonly ended: Promise<void>
  #trees: TreeModel | null = null
  readonly #worker: Worker
  /** Both sides see it; there is one job at a time. */
  readonly #rows = new RowMemory()
  #lastError: unknown
  #death: FreshetError | null = null
  #awaited: PromiseWithResolvers<Reply> | null = null

  constructor(worker: Worker) {
    this.#worker = worker
    this.ended = new Promise((resolve) => worker.once('exit', () => resolve()))
    worker.on('message', (reply: Reply) => this.#settle()?.resolve(reply))
    worker.on('error', (error) => (this.#lastError = error))
    worker.once('exit', (code) => this.giveUp(diedWith(code, this.#lastError)))
  }

  async ready(): Promise<void> {
    const reply = await successOf(this.#awaitReply())
    if (reply.kind !== 'ready') throw wrongReply(reply)
    this.#trees = reply.trees
  }

  takeTrees(): TreeModel | null {
    const trees = this.#trees
    this.#trees = null
    return trees
  }

  async run(features: Features, runRows: number): Promise<ModelScores> {
    const reply = await this.#ask(features, (shared) => ({ kind: 'run', features: shared, runRows }))
    if (reply.kind !== 'scored') throw wrongReply(reply)
    return reply.scores
  }

  async calibrate(features: Features): Promise<Calibration> {
    const reply = await this.#ask(features, (shared) => ({ kind: 'calibrate', features: shared }))
    if (reply.kind !== 'calibrated') throw wrongReply(reply)
    return reply.calibration
  }

  /** Whatever is or will be waited for fails with this. */
  giveUp(reason: FreshetError): void {
    this.#death ??= reason
    this.#settle()?.reject(this.#death)
  }

  retire(): void {
    this.#worker.postMessage({ kind: 'stop' } satisfies Request)
    this.#worker.unref()
  }

  /** Lets the job in hand finish, then ends the thread; one that hangs is not waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#worker.postMessage({ kind: 'stop' } satisfies Request)
    const late = Promise.withResolvers<void>()
    const deadline = setTimeout(() => {
      this.retire()
      late.resolve()
    }, STOP_DEADLINE_MS)
    await Promise.race([this.ended, late.promise])
    clearTimeout(deadline)
  }

  async #ask(
    features: Features,
    request: (shared: Features) => Request,
  ): Promise<Exclude<Reply, { kind: 'failed' }>> {
    const replied = this.#awaitReply() // refuses a second job before it can touch the rows of the first
    this.#worker.postMessage(request(this.#rows.put(features)))
    return await successOf(replied)
  }

  #awaitReply(): Promise<Reply> {
    if (this.#awaited !== null) throw new FreshetError('BUG', 'an inference thread takes one job at a time')
    if (this.#death !== null) throw this.#death
    this.#awaited = Promise.withResolvers<Reply>()
    return this.#awaited.promise
  }

  #settle(): PromiseWithResolvers<Reply> | null {
    const awaited = this.#awaited
    this.#awaited = null
    return awaited
  }
}

async function successOf(replied: Promise<Reply>): Promise<Exclude<Reply, { kind: 'failed' }>> {
  const reply = await replied
  if (reply.kind === 'failed') throw new FreshetError(reply.code, reply.message)
  return reply
}

function loadsTooLong(afterMs: number): FreshetError {
  return new FreshetError('MODEL_INVALID', `ONNX Runtime has not loaded the model within ${afterMs} ms`)
}

function wrongReply({ kind }: Reply): FreshetError {
  return new FreshetError('BUG', `an inference thread answered ${kind}`)
}

function diedWith(exitCode: number, cause: unknown): FreshetError {
  const reason = cause instanceof Error ? cause.message : `exit code ${exitCode}`
  return new FreshetError('MODEL_RUN_FAILED', `the inference thread died: ${reason}`, { cause })
}
