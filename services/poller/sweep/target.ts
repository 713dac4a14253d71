import type { ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { isSamePrimary, type ShardIdentity } from '@freshet/records/cursor.ts'
import type { TrackedShard } from '../sharing/tracked-shard.ts'
import { buriableEpochs, type Captured, type KeyRules } from './dead-epochs.ts'

/** A shard as it stood when its sweep began. */
export interface Target {
  readonly key: string
  readonly index: string
  readonly shard: number
  readonly identity: ShardIdentity
  readonly epoch: number
  /** The global checkpoint, and the highest number that the primary had given. */
  readonly checkpoint: number
  readonly maxSeqNo: number
  /** Counts what may have removed keys: deletes, or every operation where keys are a field of the document. */
  readonly removals: number
  readonly deadEpochs: readonly number[]
}

/** A shard that is no more: its epochs are all dead. */
export type GoneShard = Pick<Target, 'key' | 'index' | 'shard' | 'identity' | 'deadEpochs'>

export interface DueRules extends KeyRules {
  /** A shard is swept after this time even when no delete was counted. */
  readonly maxAgeMs: number
  /** Keys are a field of the document, so every operation may take a key away. */
  readonly isKeyInDocument: boolean
  /** Hash of what is captured. A shard that was captured under another is not swept: other documents live in it. */
  readonly scope: string
}

/** Shards to sweep now, who has waited longest first. */
export function dueTargets(captured: Captured, nowMs: number, rules: DueRules): readonly Target[] {
  return captured.shards
    .flatMap((shard) => {
      const target = targetOf(shard, captured, rules)
      const sweptAtMs = shard.cursor.sweep?.sweptAtMs ?? 0
      return target !== undefined && isDue(shard, target, nowMs, rules) ? [{ target, sweptAtMs }] : []
    })
    .toSorted((a, b) => a.sweptAtMs - b.sweptAtMs)
    .map(({ target }) => target)
}

/** undefined for one that cannot be swept now. */
function targetOf(shard: TrackedShard, captured: Captured, rules: DueRules): Target | undefined {
  const { key, cursor, view, isGone, hasCompletedFirstScan } = shard
  if (view === undefined || isGone || !hasCompletedFirstScan) return undefined
  if (!isSamePrimary(view.identity, cursor.identity) || cursor.scope !== rules.scope) return undefined
  return {
    key,
    index: view.index,
    shard: view.shard,
    identity: view.identity,
    epoch: cursor.epoch,
    checkpoint: view.globalCheckpoint,
    maxSeqNo: view.maxSeqNo,
    removals: removalsOf(view, rules),
    deadEpochs: buriableEpochs(shard, captured, rules),
  }
}

function removalsOf({ maxSeqNo, deleteTotal }: ShardView, { isKeyInDocument }: DueRules): number {
  return isKeyInDocument ? maxSeqNo + 1 : deleteTotal
}

function isDue(
  { cursor }: TrackedShard,
  { removals, deadEpochs }: Target,
  nowMs: number,
  { maxAgeMs }: DueRules,
): boolean {
  if (cursor.sweep === null || deadEpochs.length > 0) return true
  return cursor.sweep.deleteTotal !== removals || nowMs - cursor.sweep.sweptAtMs >= maxAgeMs
}

/** Shards whose index is gone, and of which something can be deleted or nothing is left. */
export function goneShards(captured: Captured, rules: KeyRules): readonly GoneShard[] {
  return captured.shards
    .filter(({ isGone }) => isGone)
    .map((shard) => ({ shard, deadEpochs: buriableEpochs(shard, captured, rules) }))
    .filter(({ shard, deadEpochs }) => deadEpochs.length > 0 || shard.cursor.deadEpochs.length === 0)
    .map(({ shard: { key, cursor }, deadEpochs }) => {
      const { index, shard, identity } = cursor
      return { key, index, shard, identity, deadEpochs }
    })
}

/** Everything that lives has been captured under the epoch that it has now, so what is left under a dead one is dead. */
export function areCaptured(shards: readonly TrackedShard[]): boolean {
  return shards.every(({ isGone, hasCompletedFirstScan }) => isGone || hasCompletedFirstScan)
}

/** A shard that cannot be read for a moment may be the same afterwards. */
export function isStillSame({ cursor, view, isGone }: TrackedShard, { identity, epoch }: Target): boolean {
  if (isGone || cursor.epoch !== epoch || !isSamePrimary(cursor.identity, identity)) return false
  return view === undefined || isSamePrimary(view.identity, identity)
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
