import { compareRevisions, type Revision } from '@freshet/records/revision.ts'

/** The highest revision that an epoch can have: whatever is of it, or was before it, is deleted. */
const LAST_OF_EPOCH = { primaryTerm: 2 ** 32 - 1, seqNo: Number.MAX_SAFE_INTEGER } as const

/** A shard whose living keys were read under this identity. */
export interface ReadShard {
  readonly primaryTerm: number
  /** Before its keys were read. */
  readonly checkpoint: number
}

/**
 * Of a score whose document did not live when its shard was read. A document that was written since outranks it.
 * @returns undefined where the score would stay: its document was written at the checkpoint, and deleted beyond it
 */
export function tombstoneInShard(
  row: Revision,
  { primaryTerm, checkpoint }: ReadShard,
): Revision | undefined {
  const tombstone = { ...row, primaryTerm, seqNo: checkpoint }
  return compareRevisions(tombstone, row) > 0 ? tombstone : undefined
}

/**
 * Of a score under an epoch that is no more.
 * @param lowestLiveEpoch under which anything that has the key, or will have it, is captured
 * @param isNowhere       whether all shards were asked for the key
 * @returns undefined where it could hide a document that lives
 */
export function tombstoneOfDeadEpoch(
  row: Revision,
  { lowestLiveEpoch, isNowhere }: { readonly lowestLiveEpoch: number; readonly isNowhere: boolean },
): Revision | undefined {
  const isOutranked = row.epoch < lowestLiveEpoch && (row.documentVersion === 0 || isNowhere)
  return isOutranked ? { ...row, ...LAST_OF_EPOCH } : undefined
}
