import type { Buffer } from 'node:buffer'

/** Where a message's parts stand among other bytes: of each the first byte and the one behind the last. */
export interface MessagePlaces {
  bytes: Buffer
  keyAt: number
  /** Below `keyAt`: the message has no key. */
  keyTo: number
  valueAt: number
  /** Below `valueAt`: the message is a tombstone. */
  valueTo: number
  headerAt: number
  /** Below `headerAt`: the message has no such header. */
  headerTo: number
}
