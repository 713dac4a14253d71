import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { loadPromotedModel } from '@freshet/model/bundle/pointer-store.ts'
import { poller } from '@freshet/poller/main.ts'
import { runScorer, scorer } from '@freshet/scorer/main.ts'
import { FlushBell } from '@freshet/scorer/snapshot/flush-bell.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { withTroubles, withWhy } from './trouble.ts'

/** All workers, whatever one process of many runs; sweeps that wait for no pause; rescoring that takes what time there is. */
export function forOneRun(settings: Settings): Settings {
  const { sweep, scorer } = settings
  return {
    ...settings,
    sweep: { ...sweep, pauseSeconds: Math.min(sweep.pauseSeconds, 1) },
    scorer: { ...scorer, workers: ['infer', 'cache', 'snapshot'], rescoreShare: 1 },
  }
}

/** Who runs all day waits for a model that is mended; here someone has to mend it first. */
async function checkModel({ settings, signal }: ServiceContext): Promise<void> {
  await using store = openS3(settings.s3)
  await loadPromotedModel(store, signal)
}

/**
 * Poller and scorer work for as long as `waiting` takes. The poller ends first, so that nothing comes after the scorer has
 * finished what it holds.
 * @param waiting its signal aborts when one of them cannot go on; `ring` asks for a snapshot
 * @throws what they cannot begin or go on with; what `waiting` throws, with why they stood still when it was late
 */
export async function runServices(
  context: ServiceContext,
  waiting: (signal: AbortSignal, ring: () => void) => Promise<void>,
): Promise<void> {
  const { context: hearing, troubles } = withTroubles(context, systemClock)
  const { signal } = context
  await poller.check(hearing)
  await scorer.check(hearing)
  await checkModel(context)
  const failed = new AbortController()
  const endCapture = new AbortController()
  const endScoring = new AbortController()
  const bell = new FlushBell()
  const until = (end: AbortController) => ({ ...hearing, signal: AbortSignal.any([signal, end.signal]) })
  const capturing = poller.run(until(endCapture))
  const scoring = runScorer(until(endScoring), { bell })
  for (const service of [capturing, scoring]) service.catch((error: unknown) => failed.abort(error))
  try {
    await waiting(AbortSignal.any([signal, failed.signal]), () => bell.ring())
  } catch (error) {
    throw withWhy(error, troubles())
  } finally {
    endCapture.abort()
    await Promise.allSettled([capturing])
    endScoring.abort()
    await Promise.allSettled([scoring])
  }
  await Promise.all([capturing, scoring])
}
