import type { Buffer } from 'node:buffer'

/** (1) What Elasticsearch answers for one document: its `_source` byte for byte, never parsed on the way. */
export interface Hit {
  readonly index: string
  readonly id: string
  /** `id` in UTF-8, where it lies at hand. */
  readonly idBytes?: Buffer
  readonly seqNo: number
  /** The term under which the document was written; may be older than the shard's. */
  readonly primaryTerm: number
  /** The exact bytes of `_source`; a view into the response, valid as long as that is held. Empty when not asked for. */
  readonly source: Buffer
  /** False for one that the filter leaves out, or that is marked as deleted: to Freshet it is a delete. */
  readonly isInScope: boolean
}

/** The hits of a page in their order: a list, or what makes each of them when it is asked for. */
export interface Hits<One = Hit> extends Iterable<One> {
  readonly length: number
  /** @param row from the end when negative. */
  at(row: number): One | undefined
}
