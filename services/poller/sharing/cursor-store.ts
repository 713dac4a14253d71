/** What is written to `.cursors`. Each write resolves when all in-sync replicas have it. */
import { Buffer } from 'node:buffer'
import type { OutgoingMessage, Producer } from '@freshet/adapters/kafka/producer.ts'
import { type Cursor, cursorKey, cursorRecord } from '@freshet/records/cursor.ts'
import { topicName } from '@freshet/records/topics.ts'
import { cursorPartition } from './cursor-partition.ts'

type CursorWriter = Pick<Producer, 'send'>

export async function saveCursors(
  producer: CursorWriter,
  pipeline: string,
  cursors: readonly Cursor[],
  signal: AbortSignal,
): Promise<void> {
  const messages = cursors.map((cursor) => {
    const key = cursorKey(cursor.identity.indexUuid, cursor.shard)
    return record(key, Buffer.from(cursorRecord.encode(cursor)))
  })
  await write(producer, pipeline, messages, signal)
}

/** A shard that is gone, and with it everything that was captured of it. */
export async function removeCursor(
  producer: CursorWriter,
  pipeline: string,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  await write(producer, pipeline, [record(key, null)], signal)
}

/**
 * Writes records that say nothing: whoever reads one has read all that was in its partition before, whatever compaction
 * has taken away.
 * @param marks by partition, each a key that nobody used before
 */
export async function markPartitions(
  producer: CursorWriter,
  pipeline: string,
  marks: ReadonlyMap<number, string>,
  signal: AbortSignal,
): Promise<void> {
  const messages = [...marks].map(([partition, key]) => ({ partition, key: Buffer.from(key), value: null }))
  await write(producer, pipeline, messages, signal)
}

function record(key: string, value: Buffer | null): OutgoingMessage {
  return { partition: cursorPartition(key), key: Buffer.from(key), value }
}

async function write(
  producer: CursorWriter,
  pipeline: string,
  messages: readonly OutgoingMessage[],
  signal: AbortSignal,
): Promise<void> {
  await producer.send(topicName(pipeline, 'cursors'), messages, signal)
}
