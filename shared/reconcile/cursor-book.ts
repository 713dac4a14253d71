import { Buffer } from 'node:buffer'
import type { IncomingMessage } from '@freshet/adapters/kafka/batch.ts'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import { readCursorMessage } from '@freshet/capture/cursor-message.ts'
import type { FreshetError } from '@freshet/errors/errors.ts'
import type { Cursor } from '@freshet/records/cursor.ts'
import { TOPICS } from '@freshet/records/topics.ts'

/**
 * Every cursor by `indexUuid/shard`, as somebody who captures nothing sees them: of one shard the last one of its
 * highest epoch, since a poller that wakes up late writes what was true once. One that cannot be read is passed over: who
 * captures its shard writes another.
 */
export class CursorBook {
  readonly #cursors = new Map<string, Cursor>()
  readonly #newer = new Map<string, FreshetError>()
  /** By partition: the offset after the last message. */
  readonly #heard = new Map<number, number>()

  /** A message of `.cursors`, in the order of its partition; what was heard before changes nothing. */
  hear(partition: number, message: Pick<IncomingMessage, 'offset' | 'key' | 'value'>): void {
    if (message.offset < (this.#heard.get(partition) ?? 0)) return
    this.#heard.set(partition, message.offset + 1)
    const said = readCursorMessage(partition, message)
    if (said.kind === 'newer') this.#newer.set(said.key, said.error)
    if (said.kind !== 'cursor') return
    const { key, cursor } = said
    this.#newer.delete(key)
    if (cursor === null) this.#cursors.delete(key)
    else this.#cursors.set(key, later(this.#cursors.get(key), cursor))
  }

  /** What was heard at `high` and above was of a topic that is gone, and so was all of the partition. */
  logEndsAt(partition: number, high: number): void {
    if ((this.#heard.get(partition) ?? 0) <= high) return
    this.#heard.delete(partition)
    for (const shards of [this.#cursors, this.#newer])
      for (const key of shards.keys())
        if (partitionOf(Buffer.from(key), TOPICS.cursors.partitions) === partition) shards.delete(key)
  }

  /** @throws RECORD_VERSION for a shard that a newer release has captured last */
  cursors(): ReadonlyMap<string, Cursor> {
    for (const error of this.#newer.values()) throw error
    return this.#cursors
  }

  /** For who can do without some: what is known of the shards that are not `newer`, captured last by a newer release. */
  readable(): {
    readonly cursors: ReadonlyMap<string, Cursor>
    readonly newer: ReadonlyMap<string, FreshetError>
  } {
    return { cursors: this.#cursors, newer: this.#newer }
  }
}

function later(there: Cursor | undefined, incoming: Cursor): Cursor {
  return there !== undefined && there.epoch > incoming.epoch ? there : incoming
}
