import type { Cursor } from '@freshet/records/cursor.ts'
import type { Operation } from './elasticsearch/copy.kit.ts'
import type { ShardAnswer } from './elasticsearch/shard-model.kit.ts'

/** How a trace names things. */
export function nameOf({ id, seqNo, primaryTerm }: Operation): string {
  return `${id}@${seqNo}/${primaryTerm}`
}

export function nameOfPrimary({ node, primaryTerm, globalCheckpoint, maxSeqNo }: ShardAnswer): string {
  return `${node} term ${primaryTerm} checkpoint ${globalCheckpoint} max ${maxSeqNo}`
}

export function nameOfCursor({ identity, shard, epoch, seqNo, windows }: Cursor): string {
  const open = windows.map(({ startSeqNo, highSeqNo }) => `${startSeqNo}-${highSeqNo ?? '?'}`).join(' ')
  return `${identity.indexUuid}/${shard} at ${seqNo} [${open}] epoch ${epoch} term ${identity.primaryTerm}`
}
