import { PromotedModel } from '@freshet/model/run/promoted-model.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import { BackgroundWork } from './background-work.ts'
import { DriftWatch } from './drift/drift-watch.ts'
import { type InferDeps, type InferParts, scoreFresh } from './infer/infer-loop.ts'
import { Stretches } from './infer/stretches.ts'
import { runRescore } from './rescore/rescore-loop.ts'
import { Shadow } from './shadow/shadow-loop.ts'
import { runSideBySide } from './side-by-side.ts'

/** Of trees: about two thousand rows. Where both cores are busy a thread is waited for much longer. why: decisions/0037 */
const HERE_MICROS = 1_000

export interface InferWorkerDeps extends InferDeps {
  /** Holds the models. */
  readonly store: ObjectStore
}

/**
 * Scores `.changes` into `.scores` until the signal aborts: what is fresh at once, and in its gaps, with a model that
 * was promoted since, what is scored already.
 */
export async function runInfer(context: ServiceContext, deps: InferWorkerDeps): Promise<void> {
  const { settings, telemetry, report, signal } = context
  const { store, clock } = deps
  await using models = await PromotedModel.open(
    {
      store,
      pool: {
        threads: settings.scorer.threads,
        runRows: settings.scorer.runRows,
        hereMicros: HERE_MICROS,
        onReplaced: (scores) => telemetry.metrics.add('freshet.scores_replaced', scores),
      },
      intervalMs: settings.model.pointerIntervalMs,
      clock,
      log: telemetry.log,
      onModel: (label) => report.usesModel(label),
      onRefused: () => telemetry.metrics.add('freshet.models_refused'),
      onTrouble: (fault) => (fault === null ? report.running('model') : report.failing('model', fault)),
    },
    signal,
  )
  if (models === null) return
  const background = new BackgroundWork(settings.scorer.rescoreShare, clock)
  const stretches = new Stretches()
  const drift = new DriftWatch({ telemetry, clock })
  const shadow = new Shadow(context, { store, background, clock })
  const onScored: InferParts['onScored'] = (model, scored) => {
    drift.scored(model, scored.scores.columns)
    shadow.offer(model, scored)
  }
  const workers = new Map([
    [
      'infer',
      (stop: AbortSignal) =>
        scoreFresh({ ...context, signal: stop }, deps, { models, background, stretches, onScored }),
    ],
    ['drift', (stop: AbortSignal) => drift.run(stop)],
    ['shadow', (stop: AbortSignal) => shadow.run(stop)],
    [
      'rescore',
      (stop: AbortSignal) =>
        runRescore({ ...context, signal: stop }, { ...deps, models, background, stretches }),
    ],
  ])
  await runSideBySide(workers, signal, {
    log: telemetry.log,
    clock,
    dispensable: new Set(['drift', 'shadow', 'rescore']),
    report,
  })
}
