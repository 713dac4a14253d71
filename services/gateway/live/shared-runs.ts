import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { Features } from '@freshet/model/features/features.ts'
import type { RowRunner } from './run-rows.ts'

/** As many rows as a tree model still scores within the time of a few. */
export const RUN_ROWS = 64
/** Callers that wait at once, each with one row. */
export const MAX_WAITING = 256

/**
 * One row at a time for each caller, many at a time for the model: rows that come while its threads work go together into
 * the next run, since waking a thread costs what dozens of rows cost. Nobody waits for company.
 */
export class SharedRuns {
  readonly #runs = new WeakMap<RowRunner, SharedRun>()

  /** Those of one pool, and so of one model. */
  over(pool: RowRunner): RowRunner {
    let runs = this.#runs.get(pool)
    if (runs === undefined) this.#runs.set(pool, (runs = new SharedRun(pool)))
    return runs
  }
}

class SharedRun implements RowRunner {
  readonly #pool: RowRunner
  readonly #waiting: Row[] = []
  #running = 0

  constructor(pool: RowRunner) {
    this.#pool = pool
  }

  /** How long one more row would wait for its run: for a thread, and for the full runs of those who wait already. */
  expectedWaitMs(nowMs: number = performance.now()): number {
    return this.#pool.expectedWaitMs(nowMs) * (1 + Math.floor(this.#waiting.length / RUN_ROWS))
  }

  /**
   * @param features of one row; must stay as they are until the answer is there.
   * @throws QUEUE_FULL; DEADLINE as soon as `signal` aborts; MODEL_RUN_FAILED when the model fails on this row
   */
  run(features: Features, signal: AbortSignal): Promise<Float64Array[]> {
    if (signal.aborted) return Promise.reject(deadline(signal))
    if (this.#waiting.length >= MAX_WAITING)
      return Promise.reject(new FreshetError('QUEUE_FULL', `${MAX_WAITING} rows wait for the model already`))
    const { promise, resolve, reject } = Promise.withResolvers<Float64Array[]>()
    const row: Row = { features, signal, resolve, reject }
    signal.addEventListener('abort', () => this.#leave(row), { once: true })
    this.#waiting.push(row)
    if (this.#running === 0 || this.#pool.expectedWaitMs() === 0) void this.#runNext()
    return promise
  }

  /** Its place is free for another at once. */
  #leave(row: Row): void {
    const at = this.#waiting.indexOf(row)
    if (at >= 0) this.#waiting.splice(at, 1)
    row.reject(deadline(row.signal))
  }

  async #runNext(): Promise<void> {
    const rows = this.#waiting.splice(0, RUN_ROWS)
    if (rows.length === 0) return
    this.#running++
    try {
      if (rows.length === 1) await this.#runAlone(rows[0]!)
      else await this.#runTogether(rows)
    } finally {
      this.#running--
      void this.#runNext()
    }
  }

  async #runTogether(rows: readonly Row[]): Promise<void> {
    try {
      const columns = await this.#pool.run(joined(rows), WHOEVER_LEAVES)
      for (const [at, row] of rows.entries())
        row.resolve(columns.map((column) => column.subarray(at, at + 1)))
    } catch (error) {
      if (isFreshetError(error, 'QUEUE_FULL')) for (const row of rows) row.reject(error)
      else await Promise.all(rows.map((row) => this.#runAlone(row))) // whichever row it is that breaks the model
    }
  }

  async #runAlone({ features, signal, resolve, reject }: Row): Promise<void> {
    await this.#pool.run(features, signal).then(resolve, reject)
  }
}

/** Callers that leave hear so from their own signal; the others still want their rows. */
const WHOEVER_LEAVES = new AbortController().signal

interface Row {
  readonly features: Features
  readonly signal: AbortSignal
  readonly resolve: (columns: Float64Array[]) => void
  readonly reject: (error: unknown) => void
}

function joined(rows: readonly Row[]): Features {
  const [{ features: first }] = rows as [Row, ...Row[]]
  const width = first.numbers.length
  const numbers =
    first.numbers instanceof Float32Array
      ? new Float32Array(rows.length * width)
      : new Float64Array(rows.length * width)
  for (const [at, { features }] of rows.entries()) numbers.set(features.numbers, at * width)
  const texts = first.texts.length === 0 ? first.texts : rows.flatMap(({ features }) => features.texts)
  return { rows: rows.length, numbers, texts }
}

function deadline(signal: AbortSignal): FreshetError {
  return new FreshetError('DEADLINE', 'the time was over before the model answered', { cause: signal.reason })
}
