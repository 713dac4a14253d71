/** Where the capture of one shard stands, what may happen to it, and what is to be done then: the words of capture.ts. */
import type { Cursor, ShardIdentity } from '@freshet/records/cursor.ts'
import type { Hit, Hits } from '@freshet/records/hit.ts'
import type { PageLimits, PageSize } from './page-size.ts'

export interface Capture {
  readonly cursor: Cursor
  /** True while the identity in `cursor` is not yet on disk: nothing may be emitted under it. */
  readonly unsaved: boolean
  /** Epochs of others for this shard, above ours: the next look starts one above them all. */
  readonly outrankedBy: readonly number[]
  readonly savedAtMs: number
  readonly pageSize: PageSize
  readonly phase: Phase
}

type Phase =
  | { readonly kind: 'idle' }
  | { readonly kind: 'opening'; readonly targetSeqNo: number }
  | Scan
  | { readonly kind: 'closing' }

export interface Scan {
  readonly kind: 'scanning'
  /** The cursor when the scan began: a rewind goes back to here. */
  readonly startSeqNo: number
  /** The global checkpoint when the scan began, inclusive. */
  readonly targetSeqNo: number
  readonly node: string
  /** The last sequence number read, and the documents that had it: numbers repeat in a shrunk index. */
  readonly readSeqNo: number
  readonly boundaryIds: ReadonlySet<string>
  /** Rows of the page that is being read, or was read last. */
  readonly askedRows: number
  readonly reading: boolean
  /** A page came back short: only holes are left up to the target. */
  readonly exhausted: boolean
  /** Nothing more is read: the scan ends where it is. */
  readonly yields: boolean
  /** Up to which number each page that is sent and not yet acknowledged covers, oldest first. */
  readonly unacked: readonly number[]
}

/** How the shard stands by a look at it. */
export interface Observed {
  readonly kind: 'observed'
  readonly globalCheckpoint: number
  readonly maxSeqNo: number
  readonly identity: ShardIdentity
  /** Hash of what is captured of each document. */
  readonly scope: string
  /** Above every epoch known. */
  readonly newEpoch: number
}

/** What others tell of a shard, at any time: nothing is read or sent because of it. */
export type Told =
  /** Another poller has emitted this shard under an epoch of its own: if it is above ours, only one above that outranks it. */
  | { readonly kind: 'foreign'; readonly epoch: number }
  /** A sweep under `identity` has found every delete up to its start. */
  | {
      readonly kind: 'swept'
      readonly identity: ShardIdentity
      readonly deleteTotal: number
      readonly sweptAtMs: number
      /** Dead epochs that have no living row any more. */
      readonly buriedEpochs: readonly number[]
    }

/** What a scan looks at in a hit. */
type PageRow = Pick<Hit, 'id' | 'seqNo'>

export type Event =
  | Observed
  | Told
  /**
   * Its index no longer exists: the epoch dies, so that its keys may be deleted. Should the index come back to the name,
   * it is captured anew under `newEpoch`, which is above all that was buried.
   */
  | { readonly kind: 'gone'; readonly newEpoch: number }
  | { readonly kind: 'refreshed' }
  | {
      readonly kind: 'page'
      readonly hits: Pick<Hits<PageRow>, 'length' | 'at'>
      /** Of the whole answer; left out where nobody weighs. */
      readonly bytes?: number
    }
  /** The page cannot be had: too many bytes, or more than the `maxRows` that the index allows. */
  | { readonly kind: 'pageTooLarge'; readonly maxRows?: number | undefined }
  | { readonly kind: 'acked'; readonly throughSeqNo: number; readonly nowMs: number }
  | { readonly kind: 'saved' }
  /** Other shards wait: the scan ends as soon as what was read is acknowledged. The next `observed` goes on. */
  | { readonly kind: 'yield' }
  /** Anything went wrong; nothing of this scan is running any more. The next `observed` starts again at the cursor. */
  | { readonly kind: 'failed' }

export type Effect =
  | { readonly kind: 'save'; readonly cursor: Cursor }
  | { readonly kind: 'refresh' }
  | {
      readonly kind: 'readPage'
      readonly node: string
      readonly from: { readonly seqNo: number; readonly inclusive: boolean }
      readonly toSeqNo: number
      readonly rows: number
      /** Infinite when the page cannot be asked for with less. */
      readonly maxBytes: number
    }
  /** Send the hits of the page just read, without those at `skip`; their acknowledgement covers `throughSeqNo`. */
  | { readonly kind: 'produce'; readonly skip: ReadonlySet<number>; readonly throughSeqNo: number }

export interface Limits extends PageLimits {
  /** Pages read and not yet acknowledged. */
  readonly maxPagesInFlight: number
  readonly saveEveryMs: number
  readonly maxWindows: number
}

export type Step = [Capture, readonly Effect[]]
