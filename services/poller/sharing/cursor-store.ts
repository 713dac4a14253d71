import { Buffer } from 'node:buffer'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import type { Producer } from '@freshet/adapters/kafka/producer.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import { type Cursor, cursorKey, cursorRecord } from '@freshet/records/cursor.ts'
import { TOPICS, topicName } from '@freshet/records/topics.ts'

const LOAD_DEADLINE_MS = 30_000

/** Every stored cursor by `indexUuid/shard`; of one key the last record counts. */
export async function loadCursors(
  connection: KafkaConnection,
  pipeline: string,
  signal: AbortSignal,
): Promise<Map<string, Cursor>> {
  const cursors = new Map<string, Cursor>()
  await readAll(connection, topicName(pipeline, 'cursors'), {
    deadlineMs: LOAD_DEADLINE_MS,
    signal,
    onMessage: (_, { key, value }) => {
      if (key === null) return
      if (value === null) cursors.delete(key.toString())
      else cursors.set(key.toString(), cursorRecord.decode(value))
    },
  })
  return cursors
}

/** Resolves when all in-sync replicas have it. */
export async function saveCursor(
  producer: Producer,
  pipeline: string,
  cursor: Cursor,
  signal: AbortSignal,
): Promise<void> {
  const key = Buffer.from(cursorKey(cursor.identity.indexUuid, cursor.shard))
  const message = {
    partition: partitionOf(key, TOPICS.cursors.partitions),
    key,
    value: Buffer.from(cursorRecord.encode(cursor)),
  }
  await producer.send(topicName(pipeline, 'cursors'), [message], signal)
}
