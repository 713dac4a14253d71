import type { Buffer } from 'node:buffer'
import type { IncomingMessage } from '@freshet/adapters/kafka/batch.ts'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import { type Cursor, cursorKey, cursorRecord } from '@freshet/records/cursor.ts'
import { TOPICS } from '@freshet/records/topics.ts'

/** What a message of `.cursors` says. */
export type CursorMessage =
  /** How far a shard is captured; null where its cursor was taken out. */
  | { readonly kind: 'cursor'; readonly key: string; readonly cursor: Cursor | null }
  /** Of a shard, but not to be read: nobody knows how far that is captured. */
  | { readonly kind: 'broken'; readonly key: string; readonly why: string }
  /** Of a shard that a newer release has captured: nobody of this one can go on, until a later message takes it away. */
  | { readonly kind: 'newer'; readonly key: string; readonly error: FreshetError }
  /** Nobody can own it: somebody else writes there. */
  | { readonly kind: 'stranger'; readonly why: string }
  /** It says nothing: a mark of a poller. */
  | { readonly kind: 'mark' }

type Message = Pick<IncomingMessage, 'offset' | 'key' | 'value'>

/** What is wrong names the place. */
export function readCursorMessage(partition: number, message: Message): CursorMessage {
  const { key, value } = message
  const name = key?.toString() ?? ''
  const place = `.cursors[${partition}]@${message.offset} ${name}`
  if (key === null || !CURSOR_KEY.test(name))
    return value === null ? { kind: 'mark' } : { kind: 'stranger', why: `${place}: not the key of a shard` }
  if (partition !== partitionOf(key, TOPICS.cursors.partitions))
    return { kind: 'stranger', why: `${place}: not in the partition of its key` }
  if (value === null) return { kind: 'cursor', key: name, cursor: null }
  try {
    return { kind: 'cursor', key: name, cursor: decode(name, value) }
  } catch (error) {
    if (!isFreshetError(error)) throw error
    const why = `${place}: ${error.message}`
    if (error.code !== 'RECORD_VERSION') return { kind: 'broken', key: name, why }
    return { kind: 'newer', key: name, error: new FreshetError('RECORD_VERSION', why) }
  }
}

/** `indexUuid/shard` */
const CURSOR_KEY = /^[\w-]+\/\d+$/

function decode(key: string, value: Buffer): Cursor {
  const cursor = cursorRecord.decode(value)
  const own = cursorKey(cursor.identity.indexUuid, cursor.shard)
  if (own !== key) throw new FreshetError('RECORD_MALFORMED', `the cursor of ${own}`)
  return cursor
}
