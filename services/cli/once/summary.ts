import type { ErrorCode } from '@freshet/errors/errors.ts'
import type { Metrics } from '@freshet/telemetry/metrics.ts'
import type { MetricName } from '@freshet/telemetry/metrics-table.ts'
import { formatCount } from '@freshet/watchdog/format.ts'
import { harmlessLines } from '../text.ts'

/** What one run has done. */
export interface OnceSummary extends Figures {
  readonly pipeline: string
  readonly outcome: /** All that was there at the start is captured, scored and stored. */
    | 'done'
    /** It was so before. */
    | 'nothing to do'
    /** Somebody stopped it; the next run goes on where it was. */
    | 'stopped'
    /** Something is left; the next run goes on where it was. */
    | 'failed'
  /** Why it failed. */
  readonly error: { readonly code: ErrorCode; readonly message: string } | null
  readonly startedAtMs: number
  readonly endedAtMs: number
  /** `name@version` of the promoted model. */
  readonly model: string | null
  /** What people should know beside it, one sentence each. */
  readonly notes: readonly string[]
}

/** Of this process. */
interface Figures {
  /** Changes captured, deletes that sweeps found, and documents that could not travel. */
  readonly captured: number
  readonly deletes: number
  readonly setAside: number
  /** Rows, those scored again with a newly promoted model, and changes that could not be scored. */
  readonly scored: number
  readonly rescored: number
  readonly dead: number
  /** Rows written to Redis, and those brought there because it had lost them. */
  readonly cached: number
  readonly refilled: number
  readonly snapshotRows: number
}

/** As the services have counted. */
export function figuresOf(metrics: Pick<Metrics, 'values'>): Figures {
  const values = metrics.values()
  const figure = (name: MetricName) => values[name] ?? 0
  return {
    captured: figure('freshet.poller.changes'),
    deletes: figure('freshet.sweep.tombstones'),
    setAside: figure('freshet.poller.dead'),
    scored: figure('freshet.scorer.scored'),
    rescored: figure('freshet.rescore.rows'),
    dead: figure('freshet.scorer.dead'),
    cached: figure('freshet.cache.rows'),
    refilled: figure('freshet.cache.refilled'),
    snapshotRows: figure('freshet.snapshot.rows'),
  }
}

/** As people read it. */
export function describeOnce(summary: OnceSummary): string {
  const { outcome, error, notes, startedAtMs, endedAtMs, pipeline } = summary
  return harmlessLines([
    `${pipeline}: ${outcome}${error === null ? '' : `, ${error.code}: ${error.message}`}`,
    ...(outcome === 'nothing to do' ? [] : work(summary)),
    ...notes.map((note) => `  note: ${note}`),
    `  ${((endedAtMs - startedAtMs) / 1_000).toFixed(1)} s`,
  ])
}

function work(summary: OnceSummary): string[] {
  const { captured, deletes, setAside, scored, rescored, dead, cached, refilled, snapshotRows, model } =
    summary
  return [
    `  captured   ${formatCount(captured)} changes, ${formatCount(deletes)} deletes found`,
    `  scored     ${formatCount(scored)}${model === null ? '' : ` by ${model}`}${rescored > 0 ? `, ${formatCount(rescored)} again` : ''}`,
    `  Redis      ${formatCount(cached)} rows${refilled > 0 ? `, ${formatCount(refilled)} that it had lost` : ''}`,
    `  snapshot   ${formatCount(snapshotRows)} rows`,
    ...(setAside + dead > 0
      ? [`  set aside  ${formatCount(setAside + dead)}: see \`freshet replay --dead --dry-run\``]
      : []),
  ]
}
