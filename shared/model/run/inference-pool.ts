import { availableParallelism } from 'node:os'
import { FreshetError } from '@freshet/errors/errors.ts'
import { type Features, sliceFeatures } from '../features/features.ts'
import { type Calibration, RUN_ROWS } from './calibrate.ts'
import { type ModelThread, startInferenceThread } from './inference-thread.ts'
import type { ModelScores, RunnableModel } from './model-session.ts'
import { TreeSession } from './tree-session.ts'

export interface PoolOptions {
  /** 'auto': one for each core. Each holds the model. Trees out of tables need one, whatever is said. */
  readonly threads: number | 'auto'
  /** Rows in one call of the model. 'auto': as many as `calibrate` finds, and a guess until then. */
  readonly runRows: number | 'auto'
  /** Jobs that may wait for a thread; one more is refused with QUEUE_FULL. Default 64. */
  readonly maxQueued?: number
  /** A job that a thread has not done by then has hung: the thread is given up. Default 30 s. */
  readonly jobDeadlineMs?: number
  /** Threads more, loaded and idle: one takes the place of a thread that died or hangs at once. Default 0; none for trees. */
  readonly spares?: number
  /** Of the threads (ThreadOptions). Default 0. */
  readonly niceness?: number
  /** Of trees: what may be scored where it is called, and keeps the caller's thread for so long. Default: 100 µs. */
  readonly hereMicros?: number
  /** Told how many scores of a job were NaN or infinite and stand as the spec has it. */
  readonly onReplaced?: (scores: number) => void
}

/** Right for tree models, and not far off for others. */
const GUESSED_RUN_ROWS = RUN_ROWS[2]
const MAX_QUEUED = 64
/** To wake a thread and read its answer costs about as much. */
const HERE_MICROS = 100
const JOB_DEADLINE_MS = 30_000
/** Of the last job's time in the mean: a few dozen jobs after a slow one, that is forgotten. */
const LAST_JOB_WEIGHT = 0.2

/** Runs a model in worker threads, since a run blocks the thread that calls it; a few rows of trees where it is called. */
export class InferencePool implements AsyncDisposable {
  readonly #options: PoolOptions
  #threadCount: number
  readonly #spawn: () => Promise<ModelThread>
  readonly #threads = new Set<ModelThread>()
  readonly #idle: ModelThread[] = []
  readonly #waiting: Job[] = []
  /** Given up, and still running: native code cannot be interrupted. */
  readonly #strays = new Set<ModelThread>()
  readonly #spares: ModelThread[] = []
  /** When each thread that works began its job, of `performance.now()`. */
  readonly #startedAtMs = new Map<ModelThread, number>()
  /** What a job took, the last ones weighing most. */
  #jobMs = 0
  #startingSpares = 0
  #runRows: number
  #starting = 0
  #isClosed = false
  /** Of a tree model: scores on the calling thread. */
  #trees: TreeSession | null = null

  /** @throws MODEL_INVALID when the model cannot be loaded or its shapes are not those of its spec */
  static async start(model: RunnableModel, options: PoolOptions): Promise<InferencePool> {
    const shared = { spec: model.spec, onnx: inSharedMemory(model.onnx) }
    const { niceness = 0 } = options
    return InferencePool.over(() => startInferenceThread(shared, { niceness }), options)
  }

  /** The same over threads from elsewhere. */
  static async over(spawn: () => Promise<ModelThread>, options: PoolOptions): Promise<InferencePool> {
    const pool = new InferencePool(spawn, options)
    try {
      await pool.#startThread() // tells whether others are worth their memory
      await Promise.all(Array.from({ length: pool.#threadCount - 1 }, () => pool.#startThread()))
      pool.#startSpares()
      return pool
    } catch (error) {
      await pool[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(spawn: () => Promise<ModelThread>, options: PoolOptions) {
    this.#spawn = spawn
    this.#options = options
    this.#threadCount = options.threads === 'auto' ? availableParallelism() : options.threads
    this.#runRows = options.runRows === 'auto' ? GUESSED_RUN_ROWS : options.runRows
  }

  /** Rows in one call of the model. */
  get runRows(): number {
    return this.#runRows
  }

  get threads(): number {
    return this.#threadCount
  }

  /** What scores: ONNX Runtime, or tables that were proved to score as it does. */
  get engine(): 'leaf-tables' | 'onnxruntime' {
    return this.#trees === null ? 'onnxruntime' : 'leaf-tables'
  }

  /**
   * How long a job would wait for a thread from now on, as far as can be told: by the jobs before it and what such took,
   * and where every thread works longer than usual, as long again as the youngest job has taken already.
   */
  expectedWaitMs(nowMs: number = performance.now()): number {
    if (this.#idle.length > 0) return 0
    const queuedMs = ((this.#waiting.length + 1) * this.#jobMs) / this.#threadCount
    let youngestMs = Number.POSITIVE_INFINITY
    for (const startedAtMs of this.#startedAtMs.values())
      youngestMs = Math.min(youngestMs, nowMs - startedAtMs)
    return Number.isFinite(youngestMs) ? Math.max(queuedMs, youngestMs) : queuedMs
  }

  /**
   * Spreads the rows over the threads that are idle; without one, they wait together for the next.
   * @param features must stay as they are until the answer is there: while they wait for a thread they are not copied.
   * @returns one column of scores for each output of the spec, in its order.
   * @throws QUEUE_FULL; DEADLINE as soon as `signal` aborts; MODEL_RUN_FAILED when the model or its thread fails or hangs
   */
  async run(features: Features, signal: AbortSignal): Promise<Float64Array[]> {
    const { rows } = features
    const runRows = this.#runRows
    if (signal.aborted) throw modelLate(signal)
    const now = this.runNow(features)
    if (now !== null) return now
    // Waking a thread costs what dozens of rows cost, so each gets a full call at least.
    const parts = Math.max(1, Math.min(this.#idle.length, Math.floor(rows / runRows)))
    const partRows = Math.max(1, Math.ceil(rows / parts))
    const scored: Promise<ModelScores>[] = []
    for (let from = 0; from === 0 || from < rows; from += partRows) {
      const part = sliceFeatures(features, from, Math.min(rows, from + partRows))
      scored.push(this.#submit((thread) => thread.run(part, runRows), signal))
    }
    return this.#join(await Promise.all(scored), rows)
  }

  /** The same at once, on this thread, where that costs less than to wake another: a few rows of trees. null elsewhere. */
  runNow(features: Features): Float64Array[] | null {
    if (this.#trees === null || this.#isClosed) return null
    const { hereMicros = HERE_MICROS } = this.#options
    if (features.rows * this.#trees.microsPerRow > hereMicros) return null
    return this.#join([this.#trees.scoreNow(features)], features.rows)
  }

  /**
   * Finds how many rows a call cost the least, unless that was told or makes no difference (trees), and runs with so many.
   * @param features real ones, at least as many as the biggest call.
   * @throws as `run` does
   */
  async calibrate(features: Features, signal: AbortSignal): Promise<Calibration | null> {
    if (this.#options.runRows !== 'auto' || this.#trees !== null) return null
    const calibration = await this.#submit((thread) => thread.calibrate(features), signal)
    this.#runRows = calibration.runRows
    return calibration
  }

  /** Lets running jobs finish; waiting ones are refused. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#refuseWaiting(poolClosed())
    await Promise.all([...this.#threads, ...this.#spares].map((thread) => thread[Symbol.asyncDispose]()))
  }

  #submit<T>(work: (thread: ModelThread) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { maxQueued = MAX_QUEUED } = this.#options
    if (this.#isClosed) return Promise.reject(poolClosed())
    if (signal.aborted) return Promise.reject(modelLate(signal))
    if (this.#idle.length === 0 && this.#waiting.length >= maxQueued)
      return Promise.reject(new FreshetError('QUEUE_FULL', `${maxQueued} jobs wait for the model already`))
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const job: Job = { work: (thread) => work(thread).then(resolve, reject), reject }
    const onAbort = () => {
      const at = this.#waiting.indexOf(job)
      if (at >= 0) this.#waiting.splice(at, 1)
      reject(modelLate(signal))
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
    const { jobDeadlineMs = JOB_DEADLINE_MS } = this.#options
    const late = setTimeout(() => this.#giveUp(thread, job, jobDeadlineMs), jobDeadlineMs)
    const startedAtMs = performance.now()
    this.#startedAtMs.set(thread, startedAtMs)
    await job.work(thread)
    clearTimeout(late)
    this.#startedAtMs.delete(thread)
    this.#jobMs += LAST_JOB_WEIGHT * (performance.now() - startedAtMs - this.#jobMs)
    if (this.#threads.has(thread)) this.#idle.push(thread)
    this.#assign()
  }

  /** A thread in native code ends when that returns, if ever; another takes its place at once. */
  #giveUp(thread: ModelThread, job: Job, afterMs: number): void {
    job.reject(new FreshetError('MODEL_RUN_FAILED', `the model did not answer within ${afterMs} ms`))
    this.#strays.add(thread)
    void thread.ended.then(() => {
      this.#strays.delete(thread)
      if (!this.#isClosed) this.#startMissing()
    })
    thread.retire()
    this.#forget(thread)
  }

  /**
   * Threads that died or hang are replaced; when none comes up, nobody waits for it: the next job tries again. With as
   * many strays as threads there are no more: a model that always hangs must not take the machine.
   */
  #startMissing(): void {
    const threads = this.#threadCount
    const wanted = Math.min(threads, 2 * threads - this.#strays.size)
    while (this.#threads.size < wanted && this.#spares.length > 0) this.#employ(this.#spares.shift()!)
    this.#startSpares()
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
    this.#employ(thread)
  }

  #employ(thread: ModelThread): void {
    const trees = thread.takeTrees()
    if (trees !== null) {
      this.#trees ??= new TreeSession(trees)
      this.#threadCount = 1 // scores two million rows a second
    }
    this.#threads.add(thread)
    this.#idle.push(thread)
    void thread.ended.then(() => this.#forget(thread))
    this.#assign()
  }

  /** In the background; one that does not come up is tried again when the next is needed. None while threads hang. */
  #startSpares(): void {
    const { spares = 0 } = this.#options
    if (this.#isClosed || this.#trees !== null || this.#strays.size >= this.#threadCount) return
    for (let missing = spares - this.#spares.length - this.#startingSpares; missing > 0; missing--)
      this.#startSpare().catch(() => {})
  }

  async #startSpare(): Promise<void> {
    this.#startingSpares++
    const thread = await this.#spawn().finally(() => this.#startingSpares--)
    if (this.#isClosed) return await thread[Symbol.asyncDispose]()
    this.#spares.push(thread)
    void thread.ended.then(() => {
      const at = this.#spares.indexOf(thread)
      if (at >= 0) this.#spares.splice(at, 1)
    })
    if (this.#threads.size < this.#threadCount) this.#startMissing()
  }

  #forget(thread: ModelThread): void {
    if (!this.#threads.delete(thread)) return
    this.#startedAtMs.delete(thread)
    const at = this.#idle.indexOf(thread)
    if (at >= 0) this.#idle.splice(at, 1)
    if (!this.#isClosed) this.#startMissing()
  }

  /** Parts below each other, output by output. */
  #join(parts: readonly ModelScores[], rows: number): Float64Array[] {
    const replaced = parts.reduce((sum, part) => sum + part.replaced, 0)
    if (replaced > 0) this.#options.onReplaced?.(replaced)
    const [{ columns: first }, ...more] = parts as [ModelScores, ...ModelScores[]]
    if (more.length === 0) return first
    return first.map((_, output) => {
      const column = new Float64Array(rows)
      let at = 0
      for (const { columns } of parts) {
        column.set(columns[output]!, at)
        at += columns[output]!.length
      }
      return column
    })
  }

  #refuseWaiting(error: unknown): void {
    for (const job of this.#waiting.splice(0)) job.reject(error)
  }
}

interface Job {
  /** Settles with the job, and never rejects. */
  readonly work: (thread: ModelThread) => Promise<void>
  readonly reject: (error: unknown) => void
}

/** One copy for all threads. */
function inSharedMemory(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
  shared.set(bytes)
  return shared
}

function poolClosed(): FreshetError {
  return new FreshetError('MODEL_RUN_FAILED', 'the inference pool is closed')
}

function allHang(threads: number): FreshetError {
  return new FreshetError(
    'MODEL_RUN_FAILED',
    `the model hangs in ${2 * threads} threads; no more are started`,
  )
}

/** Whoever waits for a model hears this when their time is over. */
export function modelLate(signal: AbortSignal): FreshetError {
  return new FreshetError('DEADLINE', 'the time was over before the model answered', { cause: signal.reason })
}
