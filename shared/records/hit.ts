import type { Buffer } from 'node:buffer'

/** (1) What Elasticsearch answers for one document: its `_source` byte for byte, never parsed on the way. */
export interface Hit {
  readonly index: string
  readonly id: string
  readonly seqNo: number
  /** The term under which the document was written; may be older than the shard's. */
  readonly primaryTerm: number
  /** The exact bytes of `_source`; a view into the response, valid as long as that is held. Empty when not asked for. */
  readonly source: Buffer
  /** False for one that the filter leaves out, or that is marked as deleted: to Freshet it is a delete. */
  readonly isInScope: boolean
}
