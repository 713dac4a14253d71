import type { Cursor } from '@freshet/records/cursor.ts'
import type { TrackedShard } from '../sharing/tracked-shard.ts'

/** Everything that is captured, by this poller and by others. */
export interface Captured {
  readonly shards: readonly TrackedShard[]
  /** As `.cursors` has them, those of other pollers too; none as long as they were not read. */
  readonly cursors?: ReadonlyMap<string, Cursor> | undefined
}

export interface KeyRules {
  /** Keys name their index; else another index may have the same. */
  readonly isKeyOfOneIndex: boolean
}

/**
 * Dead epochs of a shard whose rows can be deleted. Where indices may share keys, a key of a dead epoch may live in another
 * index, and count for dead there as well if that is captured under a lower epoch: then the rows stay.
 */
export function buriableEpochs(
  { cursor }: TrackedShard,
  captured: Captured,
  { isKeyOfOneIndex }: KeyRules,
): readonly number[] {
  if (isKeyOfOneIndex || cursor.deadEpochs.length === 0) return cursor.deadEpochs
  const lowest = lowestElsewhere(cursor.identity.indexUuid, captured)
  return cursor.deadEpochs.filter((epoch) => epoch < lowest)
}

/** Whether the cursors of other pollers decide what can be buried. */
export function dependsOnOthers(shards: readonly TrackedShard[], { isKeyOfOneIndex }: KeyRules): boolean {
  return !isKeyOfOneIndex && shards.some(({ cursor }) => cursor.deadEpochs.length > 0)
}

/** Names of indices of which rows stay. */
export function indicesKept(captured: Captured, rules: KeyRules): ReadonlySet<string> {
  const kept = captured.shards.filter(
    (shard) => buriableEpochs(shard, captured, rules).length < shard.cursor.deadEpochs.length,
  )
  return new Set(kept.map(({ cursor }) => cursor.index))
}

/** An index of another poller that is gone counts until its epoch is dead: then its cursor has a higher one. */
function lowestElsewhere(indexUuid: string, { shards, cursors }: Captured): number {
  const ours = new Map(shards.map((shard) => [shard.key, shard]))
  const living = [
    ...shards.filter(({ isGone }) => !isGone).map(({ cursor }) => cursor),
    ...[...(cursors ?? [])].filter(([key]) => !ours.has(key)).map(([, cursor]) => cursor),
  ]
  return living
    .filter(({ identity }) => identity.indexUuid !== indexUuid)
    .reduce((lowest, { epoch }) => Math.min(lowest, epoch), Number.POSITIVE_INFINITY)
}
