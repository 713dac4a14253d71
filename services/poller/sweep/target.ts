import type { ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import type { ShardIdentity } from '@freshet/records/cursor.ts'
import type { TrackedShard } from '../sharing/tracked-shards.ts'

/** A shard as it stood when its sweep began. */
export interface Target {
  readonly key: string
  readonly index: string
  readonly shard: number
  readonly identity: ShardIdentity
  readonly epoch: number
  /** The global checkpoint. */
  readonly checkpoint: number
  /** Counts what may have removed keys: deletes, or every operation where keys are a field of the document. */
  readonly removals: number
  readonly deadEpochs: readonly number[]
}

/** A shard that is no more: its epochs are all dead. */
export type GoneShard = Pick<Target, 'key' | 'identity' | 'deadEpochs'>

export interface DueRules {
  /** A shard is swept after this time even when no delete was counted. */
  readonly maxAgeMs: number
  /** Keys are a field of the document, so every operation may take a key away. */
  readonly isKeyInDocument: boolean
}

/** Shards to sweep now, who has waited longest first. */
export function dueTargets(
  shards: readonly TrackedShard[],
  nowMs: number,
  rules: DueRules,
): readonly Target[] {
  return shards
    .flatMap((shard) => {
      const target = targetOf(shard, rules)
      const sweptAtMs = shard.cursor.sweep?.sweptAtMs ?? 0
      return target !== undefined && isDue(shard, target, nowMs, rules) ? [{ target, sweptAtMs }] : []
    })
    .toSorted((a, b) => a.sweptAtMs - b.sweptAtMs)
    .map(({ target }) => target)
}

/** undefined for one that cannot be swept now. */
function targetOf(
  { key, cursor, view, isGone, hasCompletedFirstScan }: TrackedShard,
  rules: DueRules,
): Target | undefined {
  if (view === undefined || isGone || !hasCompletedFirstScan) return undefined
  if (!isSame(view.identity, cursor.identity)) return undefined
  return {
    key,
    index: view.index,
    shard: view.shard,
    identity: view.identity,
    epoch: cursor.epoch,
    checkpoint: view.globalCheckpoint,
    removals: removalsOf(view, rules),
    deadEpochs: cursor.deadEpochs,
  }
}

function removalsOf({ maxSeqNo, deleteTotal }: ShardView, { isKeyInDocument }: DueRules): number {
  return isKeyInDocument ? maxSeqNo + 1 : deleteTotal
}

function isDue(
  { cursor }: TrackedShard,
  { removals }: Target,
  nowMs: number,
  { maxAgeMs }: DueRules,
): boolean {
  if (cursor.sweep === null || cursor.deadEpochs.length > 0) return true
  return cursor.sweep.deleteTotal !== removals || nowMs - cursor.sweep.sweptAtMs >= maxAgeMs
}

export function goneShards(shards: readonly TrackedShard[]): readonly GoneShard[] {
  return shards
    .filter(({ isGone }) => isGone)
    .map(({ key, cursor: { identity, deadEpochs } }) => ({ key, identity, deadEpochs }))
}

/** Everything that lives has been captured under the epoch that it has now, so what is left under a dead one is dead. */
export function areCaptured(shards: readonly TrackedShard[]): boolean {
  return shards.every(({ isGone, hasCompletedFirstScan }) => isGone || hasCompletedFirstScan)
}

/** A shard that cannot be read for a moment may be the same afterwards. */
export function isStillSame({ cursor, view, isGone }: TrackedShard, { identity, epoch }: Target): boolean {
  if (isGone || cursor.epoch !== epoch || !isSame(cursor.identity, identity)) return false
  return view === undefined || isSame(view.identity, identity)
}

/**
 * Whether no operation that hid a key can be rolled back, and all that was there at the start is captured.
 * @param maxSeqNo of the primary, from a request that began after the last page was read
 */
export function isSettled(
  { cursor, view }: TrackedShard,
  { checkpoint }: Target,
  maxSeqNo: number | undefined,
): boolean {
  if (view === undefined || maxSeqNo === undefined) return false
  return view.globalCheckpoint >= maxSeqNo && cursor.seqNo >= checkpoint
}

function isSame(a: ShardIdentity, b: ShardIdentity): boolean {
  return (
    a.indexUuid === b.indexUuid &&
    a.historyUuid === b.historyUuid &&
    a.node === b.node &&
    a.allocationId === b.allocationId &&
    a.primaryTerm === b.primaryTerm
  )
}
