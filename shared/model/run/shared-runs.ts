import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { Features } from '../features/features.ts'
import { type InferencePool, modelLate } from './inference-pool.ts'

/** What runs rows: a model's pool, or the runs that callers share. */
export type RowRunner = Pick<InferencePool, 'run' | 'runNow' | 'expectedWaitMs'>

export interface SharedRunsOptions {
  /** Callers go together as long as their rows are no more than these; one who brings more goes alone. */
  readonly runRows: number
  /** Callers that wait at once. */
  readonly maxWaiting: number
}

/**
 * A few rows at a time for each caller, many at a time for the model: rows that come while its threads work go together
 * into the next run, since waking a thread costs what dozens of rows cost. Nobody waits for company; and what the pool
 * would score where it is called needs none.
 */
export class SharedRuns {
  readonly #options: SharedRunsOptions
  readonly #runs = new WeakMap<RowRunner, SharedRun>()

  constructor(options: SharedRunsOptions) {
    this.#options = options
  }

  /** Those of one pool, and so of one model. */
  over(pool: RowRunner): RowRunner {
    let runs = this.#runs.get(pool)
    if (runs === undefined) this.#runs.set(pool, (runs = new SharedRun(pool, this.#options)))
    return runs
  }
}

class SharedRun implements RowRunner {
  readonly #pool: RowRunner
  readonly #options: SharedRunsOptions
  readonly #waiting: Caller[] = []
  #waitingRows = 0
  #running = 0

  constructor(pool: RowRunner, options: SharedRunsOptions) {
    this.#pool = pool
    this.#options = options
  }

  /** How long one more row would wait for its run: for a thread, and for the full runs of those who wait already. */
  expectedWaitMs(nowMs: number = performance.now()): number {
    return this.#pool.expectedWaitMs(nowMs) * (1 + Math.floor(this.#waitingRows / this.#options.runRows))
  }

  runNow(features: Features): Float64Array[] | null {
    return this.#pool.runNow(features)
  }

  /**
   * @param features must stay as they are until the answer is there.
   * @throws QUEUE_FULL; DEADLINE as soon as `signal` aborts; MODEL_RUN_FAILED when the model fails on these rows
   */
  run(features: Features, signal: AbortSignal): Promise<Float64Array[]> {
    const { maxWaiting } = this.#options
    if (signal.aborted) return Promise.reject(modelLate(signal))
    const now = this.#pool.runNow(features)
    if (now !== null) return Promise.resolve(now)
    if (this.#waiting.length >= maxWaiting)
      return Promise.reject(
        new FreshetError('QUEUE_FULL', `${maxWaiting} callers wait for the model already`),
      )
    const { promise, resolve, reject } = Promise.withResolvers<Float64Array[]>()
    const onAbort = () => this.#leave(caller)
    const caller: Caller = { features, signal, onAbort, resolve, reject }
    signal.addEventListener('abort', onAbort, { once: true })
    this.#waiting.push(caller)
    this.#waitingRows += features.rows
    if (this.#running === 0 || this.#pool.expectedWaitMs() === 0) void this.#runNext()
    return promise
  }

  /** Its place is free for another at once. */
  #leave(caller: Caller): void {
    const at = this.#waiting.indexOf(caller)
    if (at >= 0) this.#take(at, 1)
    caller.reject(modelLate(caller.signal))
  }

  async #runNext(): Promise<void> {
    const callers = this.#take(0, this.#fitting())
    if (callers.length === 0) return
    this.#running++
    try {
      if (callers.length === 1) await this.#runAlone(callers[0]!)
      else await this.#runTogether(callers)
    } finally {
      this.#running--
      for (const { signal, onAbort } of callers) signal.removeEventListener('abort', onAbort)
      void this.#runNext()
    }
  }

  /** How many of those who wait fit into one run: one at least. */
  #fitting(): number {
    let rows = 0
    const over = this.#waiting.findIndex(({ features }) => (rows += features.rows) > this.#options.runRows)
    return over < 0 ? this.#waiting.length : Math.max(1, over)
  }

  #take(at: number, count: number): Caller[] {
    const callers = this.#waiting.splice(at, count)
    for (const { features } of callers) this.#waitingRows -= features.rows
    return callers
  }

  async #runTogether(callers: readonly Caller[]): Promise<void> {
    try {
      const columns = await this.#pool.run(joined(callers), WHOEVER_LEAVES)
      let from = 0
      for (const { features, resolve } of callers) {
        const to = from + features.rows
        resolve(columns.map((column) => column.subarray(from, to)))
        from = to
      }
    } catch (error) {
      if (isFreshetError(error, 'QUEUE_FULL')) for (const { reject } of callers) reject(error)
      else await Promise.all(callers.map((caller) => this.#runAlone(caller))) // whoever it is that breaks the model
    }
  }

  async #runAlone({ features, signal, resolve, reject }: Caller): Promise<void> {
    await this.#pool.run(features, signal).then(resolve, reject)
  }
}

/** Callers that leave hear so from their own signal; the others still want their rows. */
const WHOEVER_LEAVES = new AbortController().signal

interface Caller {
  readonly features: Features
  readonly signal: AbortSignal
  readonly onAbort: () => void
  readonly resolve: (columns: Float64Array[]) => void
  readonly reject: (error: unknown) => void
}

function joined(callers: readonly Caller[]): Features {
  const [{ features: first }] = callers as [Caller, ...Caller[]]
  const numbersOf = (length: number) =>
    first.numbers instanceof Float32Array ? new Float32Array(length) : new Float64Array(length)
  const numbers = numbersOf(callers.reduce((sum, { features }) => sum + features.numbers.length, 0))
  let at = 0
  for (const { features } of callers) {
    numbers.set(features.numbers, at)
    at += features.numbers.length
  }
  const texts = first.texts.length === 0 ? first.texts : callers.flatMap(({ features }) => features.texts)
  return { rows: callers.reduce((sum, { features }) => sum + features.rows, 0), numbers, texts }
}
