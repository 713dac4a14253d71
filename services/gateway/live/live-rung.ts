import { isFreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import type { RowProblem } from '@freshet/model/features/columns.ts'
import type { Features } from '@freshet/model/features/features.ts'
import type { LoadedModel } from '@freshet/model/run/loaded-model.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { Throttle } from '@freshet/stage/throttle.ts'
import type { Reason } from '../ladder/reasons.ts'
import { whenLate } from '../server/deadline.ts'
import type { LoopWatch } from '../server/loop-watch.ts'

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
      return scored(model, await runUntil(model, features, endsAtMs - nowMs))
    } catch (error) {
      const reason = reasonOf(error)
      if (reason === 'live_failed') this.#complain(error)
      return { kind: 'unable', reason }
    }
  }

  /** Callers see only that it failed; each code is logged once a minute, with the number of those in between. */
  #complain(error: unknown): void {
    const heldBack = this.#failures.pass(toFreshetError(error).code)
    if (heldBack !== null)
      this.#log.error('live inference failed', error, { [ATTRIBUTES.rows]: heldBack + 1 })
  }
}

async function runUntil({ pool }: LiveModel, features: Features, ms: number): Promise<Float64Array[]> {
  const late = new AbortController()
  const timer = whenLate(ms, () => late.abort())
  try {
    return await pool.run(features, late.signal)
  } finally {
    clearTimeout(timer)
  }
}

function scored(model: LiveModel, columns: readonly Float64Array[]): Live {
  const outputs = Object.fromEntries(model.outputs.map((name, i) => [name, columns[i]![0]!]))
  if (Object.values(outputs).every(Number.isFinite)) return { kind: 'scored', outputs, model: model.label }
  const message = `${model.label} answers NaN or infinity for this document`
  return { kind: 'unscorable', problem: { code: 'SCORE_NOT_FINITE', at: null, message } }
}

function reasonOf(error: unknown): Reason {
  if (isFreshetError(error, 'DEADLINE')) return 'live_late'
  return isFreshetError(error, 'QUEUE_FULL') ? 'live_overloaded' : 'live_failed'
}
