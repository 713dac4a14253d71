import { z } from 'zod'
import { jsonRecord } from './json-record.ts'
import { momentSchema } from './moment.ts'
import { MAX_EPOCH, MAX_PRIMARY_TERM } from './revision.ts'

/**
 * How far one primary shard has been captured, kept in `.cursors` under `indexUuid/shard`. One write holds it all: an
 * identity saved without its rewind would be a loss.
 */
const cursorSchema = z.object({
  version: z.literal(2),
  /** Of the cluster: an index that another cluster does not have is not gone. Empty where nobody has asked for it yet. */
  clusterUuid: z.string(),
  index: z.string(),
  shard: z.int().min(0),
  /** What makes a copy of the shard this one: when any of it changes, open windows are read again. */
  identity: z.object({
    indexUuid: z.string(),
    historyUuid: z.string(),
    node: z.string(),
    allocationId: z.string(),
    primaryTerm: z.int().min(0).max(MAX_PRIMARY_TERM),
  }),
  /** Wall-clock milliseconds; see revision.ts. */
  epoch: z.int().min(1).max(MAX_EPOCH),
  /** Everything up to here, inclusive, is acknowledged by Kafka; -1 when nothing is. */
  seqNo: z.int().min(-1),
  /**
   * Reads whose operations above the checkpoint could still be rolled back, which would make older versions current
   * again below the cursor. `highSeqNo` is null until the next poll of the same identity closes the window.
   */
  windows: z.array(z.object({ startSeqNo: z.int().min(-1), highSeqNo: z.int().min(-1).nullable() })),
  /** What is captured of each document and under which key (see shared/capture/scope.ts): another one starts a new epoch. */
  scope: z.string(),
  /**
   * Epochs that this shard had before: their rows are outranked or their documents gone, and the next sweep deletes what
   * is left of them. Here because an epoch must be dead on disk before anything is buried in its name.
   */
  deadEpochs: z.array(z.int().min(1).max(MAX_EPOCH)).default([]),
  /** The last sweep under this identity that found all deletes up to then; null when one is due. */
  sweep: z.object({ deleteTotal: z.int().min(0), sweptAtMs: momentSchema }).nullable(),
})

export type Cursor = z.infer<typeof cursorSchema>
export type ShardIdentity = Cursor['identity']
export type Window = Cursor['windows'][number]

/** Version 1 knew neither scope nor sweep: under no scope, it begins a new epoch. */
export const cursorRecord = jsonRecord<Cursor>('cursor', 2, cursorSchema, {
  1: (cursor) => ({ ...cursor, version: 2, clusterUuid: '', scope: '', deadEpochs: [], sweep: null }),
})

export function cursorKey(indexUuid: string, shard: number): string {
  return `${indexUuid}/${shard}`
}

/** The same operations by the same numbers: not created anew, restored or shrunk under an old name. */
export function isSameHistory(a: ShardIdentity, b: ShardIdentity): boolean {
  return a.indexUuid === b.indexUuid && a.historyUuid === b.historyUuid
}

/** The same history under the same primary, which no failover has followed. */
export function isSamePrimary(a: ShardIdentity, b: ShardIdentity): boolean {
  const isSameCopy = a.node === b.node && a.allocationId === b.allocationId
  return isSameHistory(a, b) && isSameCopy && a.primaryTerm === b.primaryTerm
}
