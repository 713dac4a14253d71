import type { RowProblem } from '@freshet/model/features/columns.ts'
import { sliceFeatures } from '@freshet/model/features/features.ts'
import type { LoadedModel } from '@freshet/model/run/loaded-model.ts'
import { type RowRunner, SharedRuns } from '@freshet/model/run/shared-runs.ts'
import type { Reason } from '@freshet/records/reasons.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { ThrottledLog } from '@freshet/stage/throttled-log.ts'
import type { LoopWatch } from '../server/loop-watch.ts'
import { runRows } from './run-rows.ts'

export type Live =
  | { readonly kind: 'scored'; readonly outputs: Readonly<Record<string, number>>; readonly model: string }
  | { readonly kind: 'unscorable'; readonly problem: Unscorable }
  | { readonly kind: 'unable'; readonly reason: Reason }

/** A document that the model cannot score, now or ever. */
interface Unscorable extends Omit<RowProblem, 'code'> {
  readonly code: RowProblem['code'] | 'SCORE_NOT_FINITE'
}

/** A model as this rung uses it, and disposes of when it has its answer. */
export interface LiveModel extends Pick<LoadedModel, 'label' | 'outputs' | 'writer'>, Disposable {
  readonly pool: RowRunner
}

/** As many rows as a tree model still scores within the time of a few; and callers that wait at once, each with one. */
export const LIVE_RUNS = { runRows: 64, maxWaiting: 256 }

/** Scores documents with the model that serves now, never later than it is told. */
export class LiveRung {
  readonly #use: () => LiveModel | null
  readonly #loop: Pick<LoopWatch, 'isBehind'>
  readonly #failures: ThrottledLog
  readonly #runs = new SharedRuns(LIVE_RUNS)

  constructor(
    use: () => LiveModel | null,
    { loop, log, clock }: { loop: Pick<LoopWatch, 'isBehind'>; log: Log; clock: Clock },
  ) {
    this.#use = use
    this.#loop = loop
    this.#failures = new ThrottledLog(log, clock)
  }

  /** @param endsAtMs of `performance.now()`. */
  async score(document: unknown, endsAtMs: number): Promise<Live> {
    using model = this.#use()
    if (model === null) return { kind: 'unable', reason: 'model_missing' }
    const features = model.writer.allocate(1)
    const problem = model.writer.write(document, features, 0)
    if (problem !== null) return { kind: 'unscorable', problem }
    const ran = await runRows(this.#runs.over(model.pool), features, endsAtMs, this.#loop)
    return ran.kind === 'ran' ? scored(model, ran.columns, 0) : this.#unable(ran)
  }

  /**
   * The same for many documents in one run, each with an answer of its own.
   * @param pause is asked after each document that is made ready, and may let the loop turn.
   */
  async scoreAll(
    documents: readonly unknown[],
    endsAtMs: number,
    pause: () => Promise<void> | undefined,
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
      const pausing = pause()
      if (pausing !== undefined) await pausing
    }
    if (scorable.length === 0) return answers
    const rows = sliceFeatures(features, 0, scorable.length)
    const ran = await runRows(model.pool, rows, endsAtMs, this.#loop)
    const unable = ran.kind === 'ran' ? undefined : this.#unable(ran)
    for (const [row, at] of scorable.entries())
      answers[at] = ran.kind === 'ran' ? scored(model, ran.columns, row) : unable!
    return answers
  }

  /** Callers see only that it failed; the log says why. */
  #unable({ reason, error }: { readonly reason: Reason; readonly error?: unknown }): Live {
    if (reason === 'live_failed') this.#failures.error('live inference failed', error)
    return { kind: 'unable', reason }
  }
}

function scored(model: LiveModel, columns: readonly Float64Array[], row: number): Live {
  const outputs = Object.fromEntries(model.outputs.map((name, i) => [name, columns[i]![row]!]))
  if (Object.values(outputs).every(Number.isFinite)) return { kind: 'scored', outputs, model: model.label }
  const message = `${model.label} answers NaN or infinity for this document`
  return { kind: 'unscorable', problem: { code: 'SCORE_NOT_FINITE', at: null, message } }
}
