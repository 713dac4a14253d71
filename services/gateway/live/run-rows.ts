import { isFreshetError } from '@freshet/errors/errors.ts'
import type { Features } from '@freshet/model/features/features.ts'
import type { RowRunner } from '@freshet/model/run/shared-runs.ts'
import type { Reason } from '@freshet/records/reasons.ts'
import type { LoopWatch } from '../server/loop-watch.ts'
import { whenLate } from '../server/waits.ts'

type Ran =
  /** One for each output, by row. */
  | { readonly kind: 'ran'; readonly columns: readonly Float64Array[] }
  | { readonly kind: 'unable'; readonly reason: Reason; readonly error?: unknown }

/**
 * Runs the model on all rows, unless it is clear already that it would be too late.
 * @param endsAtMs of `performance.now()`.
 */
export async function runRows(
  runner: RowRunner,
  features: Features,
  endsAtMs: number,
  loop: Pick<LoopWatch, 'isBehind'>,
): Promise<Ran> {
  const nowMs = performance.now()
  const leftMs = endsAtMs - nowMs
  if (leftMs < 1) return { kind: 'unable', reason: 'deadline' }
  if (loop.isBehind(nowMs)) return { kind: 'unable', reason: 'overloaded' }
  const columns = runner.runNow(features)
  if (columns !== null) return { kind: 'ran', columns }
  if (runner.expectedWaitMs(nowMs) > leftMs) return { kind: 'unable', reason: 'live_overloaded' }
  const late = new AbortController()
  const timer = whenLate(leftMs, () => late.abort())
  try {
    return { kind: 'ran', columns: await runner.run(features, late.signal) }
  } catch (error) {
    return { kind: 'unable', reason: reasonOf(error), error }
  } finally {
    clearTimeout(timer)
  }
}

function reasonOf(error: unknown): Reason {
  if (isFreshetError(error, 'DEADLINE')) return 'live_late'
  return isFreshetError(error, 'QUEUE_FULL') ? 'live_overloaded' : 'live_failed'
}
