import { isFreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { RowProblem } from '@freshet/model/features/columns.ts'
import { type Features, sliceFeatures } from '@freshet/model/features/features.ts'
import type { LoadedModel } from '@freshet/model/run/loaded-model.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { Throttle } from '@freshet/stage/throttle.ts'
import type { Reason } from '../ladder/reasons.ts'
import { whenLate } from '../server/deadline.ts'
import type { LoopWatch } from '../server/loop-watch.ts'
import { SharedRuns } from './shared-runs.ts'

export type Live =
  | { readonly kind: 'scored'; readonly outputs: Readonly<Record<string, number>>; readonly model: string }
  | { readonly kind: 'unscorable'; readonly problem: Problem }
  | { readonly kind: 'unable'; readonly reason: Reason }

/** A document that the model cannot score, now or ever. */
interface Problem extends Omit<RowProblem, 'code'> {
  readonly code: RowProblem['code'] | 'SCORE_NOT_FINITE'
}

/** A model as this rung uses it, and disposes of when it has its answer. */
export interface LiveModel extends Pick<LoadedModel, 'label' | 'outputs' | 'writer'>, Disposable {
  readonly pool: Pick<LoadedModel['pool'], 'run' | 'expectedWaitMs'>
}

const LOG_INTERVAL_MS = 60_000

/** Scores one document with the model that serves now, never later than it is told. */
export class LiveRung {
  readonly #use: () => LiveModel | null
  readonly #loop: Pick<LoopWatch, 'isBehind'>
  readonly #log: Log
  readonly #failures: Throttle
  readonly #runs = new SharedRuns()

  constructor(
    use: () => LiveModel | null,
    { loop, log, clock }: { loop: Pick<LoopWatch, 'isBehind'>; log: Log; clock: Clock },
  ) {
    this.#use = use
    this.#loop = loop
    this.#log = log
    this.#failures = new Throttle(LOG_INTERVAL_MS, clock)
  }

  /** @param endsAtMs of `performance.now()`. */
  async score(document: unknown, endsAtMs: number): Promise<Live> {
    using model = this.#use()
    if (model === null) return { kind: 'unable', reason: 'model_missing' }
    const features = model.writer.allocate(1)
    const problem = model.writer.write(document, features, 0)
    if (problem !== null) return { kind: 'unscorable', problem }
    const nowMs = performance.now()
    if (endsAtMs - nowMs < 1) return { kind: 'unable', reason: 'deadline' }
    if (this.#loop.isBehind(nowMs)) return { kind: 'unable', reason: 'overloaded' }
    if (model.pool.expectedWaitMs(nowMs) > endsAtMs - nowMs)
      return { kind: 'unable', reason: 'live_overloaded' }
    try {
      const shared = { run: (row: Features, signal: AbortSignal) => this.#runs.run(model.pool, row, signal) }
      return scored(model, await runUntil({ pool: shared }, features, endsAtMs - nowMs), 0)
    } catch (error) {
      const reason = reasonOf(error)
      if (reason === 'live_failed') this.#complain(error)
      return { kind: 'unable', reason }
    }
  }

  /**
   * The same for many documents in one run, each with an answer of its own.
   * @param maybeTurn is awaited after each document is made ready, and may let the loop turn.
   */
  async scoreAll(
    documents: readonly unknown[],
    endsAtMs: number,
    maybeTurn: () => Promise<void> | undefined,
  ): Promise<Live[]> {
    using model = this.#use()
    if (model === null) return documents.map(() => ({ kind: 'unable', reason: 'model_missing' }))
    const features = model.writer.allocate(documents.length)
    const answers: Live[] = []
    const scorable: number[] = []
    for (const [at, document] of documents.entries()) {
      const problem = model.writer.write(document, features, scorable.length)
      if (problem === null) scorable.push(at)
      else answers[at] = { kind: 'unscorable', problem }
      const turn = maybeTurn()
      if (turn !== undefined) await turn
    }
    const unable = (reason: Reason) => {
      for (const at of scorable) answers[at] = { kind: 'unable', reason }
      return answers
    }
    if (scorable.length === 0) return answers
    const nowMs = performance.now()
    if (endsAtMs - nowMs < 1) return unable('deadline')
    if (this.#loop.isBehind(nowMs)) return unable('overloaded')
    if (model.pool.expectedWaitMs(nowMs) > endsAtMs - nowMs) return unable('live_overloaded')
    try {
      const columns = await runUntil(model, sliceFeatures(features, 0, scorable.length), endsAtMs - nowMs)
      for (const [row, at] of scorable.entries()) answers[at] = scored(model, columns, row)
      return answers
    } catch (error) {
      const reason = reasonOf(error)
      if (reason === 'live_failed') this.#complain(error)
      return unable(reason)
    }
  }

  /** Callers see only that it failed; each code is logged once a minute, with the number of those in between. */
  #complain(error: unknown): void {
    const heldBack = this.#failures.pass(toFreshetError(error).code)
    if (heldBack !== null)
      this.#log.error('live inference failed', error, { [ATTRIBUTES.rows]: heldBack + 1 })
  }
}

/** @throws DEADLINE after so many milliseconds, and as `InferencePool.run` does */
export async function runUntil(
  { pool }: { readonly pool: Pick<LiveModel['pool'], 'run'> },
  features: Features,
  ms: number,
): Promise<Float64Array[]> {
  const late = new AbortController()
  const timer = whenLate(ms, () => late.abort())
  try {
    return await pool.run(features, late.signal)
  } finally {
    clearTimeout(timer)
  }
}

function scored(model: LiveModel, columns: readonly Float64Array[], row: number): Live {
  const outputs = Object.fromEntries(model.outputs.map((name, i) => [name, columns[i]![row]!]))
  if (Object.values(outputs).every(Number.isFinite)) return { kind: 'scored', outputs, model: model.label }
  const message = `${model.label} answers NaN or infinity for this document`
  return { kind: 'unscorable', problem: { code: 'SCORE_NOT_FINITE', at: null, message } }
}

/** Of a run that failed. */
export function reasonOf(error: unknown): Reason {
  if (isFreshetError(error, 'DEADLINE')) return 'live_late'
  return isFreshetError(error, 'QUEUE_FULL') ? 'live_overloaded' : 'live_failed'
}
