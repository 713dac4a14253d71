import { isFreshetError } from '@freshet/errors/errors.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import { restMsAfter } from '@freshet/stage/rest.ts'
import { inSpan } from '@freshet/telemetry/spans.ts'
import { filesToOne } from './files-to-one.ts'
import { type MergePlan, planMerge } from './merge-plan.ts'
import type { OwnPartitions } from './own-partitions.ts'
import { publish } from './publish.ts'
import type { SnapshotParts } from './snapshot-parts.ts'

/** Merges files of the partitions of one membership where due, one at a time, beside the deltas that are written. */
export class Merges {
  readonly #own: OwnPartitions
  readonly #parts: SnapshotParts
  /** Until when what failed for good is not tried again, by partition and kind. */
  readonly #notBeforeMs = new Map<string, number>()

  constructor(own: OwnPartitions, parts: SnapshotParts) {
    this.#own = own
    this.#parts = parts
  }

  /**
   * Resolves when none is due. A merge that fails for good is told and left for a while: the snapshot stays whole without
   * it, in more files. One that is interrupted is due again later.
   * @param signals as in `publish`
   * @throws MANIFEST_FENCED
   */
  async run(signals: { readonly write: AbortSignal; readonly commit: AbortSignal }): Promise<void> {
    for (const partition of this.#own.numbers())
      for (let plan = this.#plan(partition); plan !== undefined; plan = this.#plan(partition)) {
        if (signals.write.aborted) return
        await this.#merge(partition, plan, signals)
      }
  }

  #plan(partition: number): MergePlan | undefined {
    const now = this.#own.at(partition)
    if (now === undefined) return undefined
    const { settings, clock } = this.#parts
    const mayTry = (kind: MergePlan['kind']) =>
      clock.nowMs() >= (this.#notBeforeMs.get(`${partition} ${kind}`) ?? 0)
    const plan = planMerge(now, settings, mayTry('base'))
    return plan !== undefined && mayTry(plan.kind) ? plan : undefined
  }

  async #merge(
    partition: number,
    plan: MergePlan,
    signals: { readonly write: AbortSignal; readonly commit: AbortSignal },
  ): Promise<void> {
    const { telemetry, settings, store, clock, log } = this.#parts
    const rows = plan.files.reduce((sum, file) => sum + file.rows, 0)
    const shape = {
      name: `merge snapshot ${plan.kind}`,
      attributes: { [ATTRIBUTES.stage]: 'snapshot', [ATTRIBUTES.rows]: rows },
    }
    try {
      const pause = partOfTheTime(clock, signals.write)
      const file = filesToOne(partition, plan, { store, settings, nowMs: clock.nowMs(), pause })
      await inSpan(telemetry.tracer, shape, () => publish(this.#parts, this.#own, [file], signals))
      telemetry.metrics.add('freshet.snapshot.commits')
      telemetry.metrics.add('freshet.snapshot.merges')
    } catch (error) {
      if (isFreshetError(error, 'MANIFEST_FENCED')) throw error
      if (signals.write.aborted) return
      this.#notBeforeMs.set(`${partition} ${plan.kind}`, clock.nowMs() + FAILED_MS)
      log.error(
        `partition ${partition} of the snapshot cannot be merged; trying again in ${FAILED_MS / 60_000} minutes`,
        error,
      )
    }
  }
}

const FAILED_MS = 600_000

/** A merge is in no hurry: after each page it leaves as long to scoring as it took itself. */
function partOfTheTime(clock: Clock, signal: AbortSignal): () => Promise<void> {
  let sinceMs = performance.now()
  return async () => {
    await clock.sleep(Math.min(restMsAfter(performance.now() - sinceMs, SHARE), MAX_PAUSE_MS), signal)
    sinceMs = performance.now()
  }
}

const SHARE = 0.5
const MAX_PAUSE_MS = 50
