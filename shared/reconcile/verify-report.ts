import type { ModelIdentity } from '@freshet/records/score-batch.ts'

/**
 * What one verification found: of every document that lived when its shard was read, at or below the checkpoint, how
 * the snapshot speaks of it. `live` is the sum of the other standings.
 */
export interface VerifyReport {
  readonly pipeline: string
  /** The promoted one; null when there is none. */
  readonly model: ModelIdentity | null
  /** Highest model generation of any row of the snapshot; 0: there is none. */
  readonly newestGeneration: number
  readonly startedAtMs: number
  readonly endedAtMs: number
  /** False: the wait ended before the snapshot held all that was emitted, so what is missing may be on its way. */
  readonly isSettled: boolean
  readonly shards: readonly ShardReport[]
  /** Scores of indices, and incarnations of shards, that are no more. */
  readonly extraOfTheDead: number
  /** At most as many of each kind as were asked for. */
  readonly findings: readonly Finding[]
  /** Missing, stale or extra, and not to be mended by emitting: what helps is the reason of the finding. */
  readonly beyondRepair: number
  /** `index/shard` of what could not be judged: no primary to read, or it changed again and again. */
  readonly unreadable: readonly string[]
  /** Indices that are closed: they wait, and their scores stay. */
  readonly closed: readonly string[]
  /** Indices that are gone; their scores are deleted when the grace time is over. */
  readonly gone: readonly string[]
  /** What was emitted for the second look to find; null unless repair was asked for. */
  readonly repair: RepairReport | null
}

export interface ShardReport extends Readonly<Tally> {
  readonly index: string
  readonly shard: number
  /** The checkpoint when its documents were read, and how far the poller had come in the end; null: not begun. */
  readonly checkpoint: number
  readonly cursor: number | null
}

/** How a living document can stand. */
export const STANDINGS = [
  /** For its current revision, or a newer one, by the current model. */
  'scored',
  /** For its current revision, by a model that another has followed. */
  'olderModel',
  /** For its current revision, by a generation above the pointer's, which was lost or put back: no promotion replaces it. */
  'newerModel',
  /** Its current revision cannot be scored; `.dead` has it with the reason. */
  'setAside',
  /** Set aside as well, since it has no usable key: told apart, as nothing can be asked for it by name. */
  'withoutKey',
  /** Nothing, or only the memory of a delete. */
  'missing',
  /** For a revision that is no longer current. */
  'stale',
  /** The poller has not come to it yet. */
  'pending',
] as const

export type Standing = (typeof STANDINGS)[number]

export interface Tally extends Record<Standing, number> {
  live: number
  /** Scores of documents that no longer lived. */
  extra: number
}

export interface Finding {
  readonly kind: 'missing' | 'stale' | 'extra' | 'setAside' | 'withoutKey'
  /** Of one without a key: its index and id. */
  readonly key: string
  /** What else is known: why a document was set aside, or what helps where emitting does not. */
  readonly reason?: string
}

export interface RepairReport {
  /** Documents emitted again at their revision, and tombstones for what no longer lives. */
  readonly emitted: number
  readonly tombstones: number
}

export function emptyTally(): Tally {
  return {
    live: 0,
    scored: 0,
    olderModel: 0,
    newerModel: 0,
    setAside: 0,
    withoutKey: 0,
    missing: 0,
    stale: 0,
    pending: 0,
    extra: 0,
  }
}

/** Over all shards; what is left of the dead counts as extra. */
export function totalOf({ shards, extraOfTheDead }: VerifyReport): Tally {
  const total = emptyTally()
  for (const shard of shards)
    for (const name of Object.keys(total) as (keyof Tally)[]) total[name] += shard[name]
  total.extra += extraOfTheDead
  return total
}

/**
 * Every living document has its score, or its reason in `.dead`; nothing else has one; and every shard was looked at. A score by
 * an older model is complete: the revision is what is proved, and a rescore takes its time. One by a newer model than the
 * promoted one is not: no rescore ever replaces it.
 */
export function isComplete(report: VerifyReport): boolean {
  const { missing, stale, extra, pending, newerModel } = totalOf(report)
  return missing + stale + extra + pending + newerModel === 0 && report.unreadable.length === 0
}
