/**
 * What is left to be scored again with a newly promoted model. Nothing is decided by time, and nobody is told to begin
 * or to end: of each partition two groups keep, beside their offsets, what they know (scoring-note.ts), and the work is
 * the difference. So whoever looks finds the same, after a stop, a crash, a rebalance or another promotion.
 *
 *     low ──────── rescored with G ────────► from ···· left ····► to ──── scored with G by infer ────► infer's offset
 */
import type { InferNote, RescoreNote } from '@freshet/records/scoring-note.ts'

/** A partition of `.changes`, and what the two groups keep of it. */
export interface PartitionPosition {
  readonly partition: number
  /** The log holds offsets from `low` to before `high`. */
  readonly low: number
  readonly high: number
  /** null: nothing is committed. */
  readonly infer: { readonly offset: number; readonly note: InferNote | null } | null
  readonly rescore: { readonly offset: number; readonly note: RescoreNote | null } | null
}

export interface PartitionPlan {
  readonly partition: number
  readonly low: number
  /** Offsets from here to before `to` are left; none where `from` is not below `to`. */
  readonly from: number
  readonly to: number
  /** When rescoring with this generation began here; null: not yet. */
  readonly beganAtMs: number | null
  /** What infer says, once nothing is left below it. */
  readonly settled: InferNote | null
}

/**
 * @param generation of the model that this process uses. Where others are known to use a newer one, there is nothing
 *   left for the older.
 */
export function planOf(position: PartitionPosition, generation: number): PartitionPlan {
  const { partition, low, high, infer, rescore } = position
  const mine = rescore?.note?.generation === generation ? rescore : null
  const from = mine !== null && mine.offset <= high ? Math.max(low, mine.offset) : low
  const plan = { partition, low, from, beganAtMs: mine?.note?.beganAtMs ?? null }
  const inferGeneration = infer?.note?.generation ?? 0
  const isOutdated = Math.max(inferGeneration, rescore?.note?.generation ?? 0) > generation
  if (infer === null || isOutdated) return { ...plan, to: from, settled: null }
  if (inferGeneration < generation) return { ...plan, to: Math.min(infer.offset, high), settled: null }
  const to = Math.min(infer.note!.sinceOffset, high)
  return { ...plan, to, settled: from >= to ? infer.note : null }
}

export function leftOf({ from, to }: Pick<PartitionPlan, 'from' | 'to'>): number {
  return Math.max(0, to - from)
}

/** Of all partitions, in offsets of `.changes`: compaction has left holes among them. */
export interface RescoreProgress {
  readonly total: number
  readonly left: number
  /** null: not begun. */
  readonly beganAtMs: number | null
}

export function progressOf(plans: readonly PartitionPlan[]): RescoreProgress {
  const begins = plans.flatMap(({ beganAtMs }) => beganAtMs ?? [])
  return {
    total: plans.reduce((sum, { low, from, to }) => sum + Math.max(from, to) - low, 0),
    left: plans.reduce((sum, plan) => sum + leftOf(plan), 0),
    beganAtMs: begins.length === 0 ? null : Math.min(...begins),
  }
}
