import type { Revision } from '@freshet/records/revision.ts'

/**
 * Of a score whose document did not live when its shard was read. A document that was written since outranks it.
 *
 * It keeps the primary term of the score. That of the primary would be too high: when it dies before it has written
 * anything, the next one may bring operations of an older term that it never had, and a document among them lives.
 * @param checkpoint of the shard, before its keys were read
 * @returns undefined where the score stays for now: its document was written at the checkpoint or above it
 */
export function tombstoneInShard(row: Revision, checkpoint: number): Revision | undefined {
  return row.seqNo < checkpoint ? { ...row, seqNo: checkpoint } : undefined
}

/**
 * Of a score under an epoch that is no more: above whatever may still be written under it. A living document that it
 * hides was hidden by the score already; but a stale score is better than none.
 * @param row     its epoch is below all under which its key may be captured
 * @param mayLive a document may have the key: perhaps with a lower version
 * @returns undefined where the score stays
 */
export function tombstoneOfDeadEpoch(row: Revision, { mayLive }: { mayLive: boolean }): Revision | undefined {
  if (mayLive && row.documentVersion > 0) return undefined
  return { ...row, primaryTerm: 2 ** 32 - 1, seqNo: Number.MAX_SAFE_INTEGER }
}
