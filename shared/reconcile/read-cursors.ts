import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import type { Cursor } from '@freshet/records/cursor.ts'
import { topicName } from '@freshet/records/topics.ts'
import { CursorBook } from './cursor-book.ts'

const READ_DEADLINE_MS = 30_000

/**
 * Every cursor by `indexUuid/shard`, as `.cursors` has them now.
 * @throws KAFKA_UNREACHABLE, TOPIC_MISSING, DEADLINE, RECORD_VERSION for a shard that a newer release has captured last
 */
export async function readCursors(
  connection: KafkaConnection,
  pipeline: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Cursor>> {
  return (await readCursorBook(connection, pipeline, signal)).cursors()
}

/** The same, for who goes on hearing. @throws KAFKA_UNREACHABLE, TOPIC_MISSING, DEADLINE */
export async function readCursorBook(
  connection: KafkaConnection,
  pipeline: string,
  signal: AbortSignal,
): Promise<CursorBook> {
  const book = new CursorBook()
  await readAll(connection, topicName(pipeline, 'cursors'), {
    deadlineMs: READ_DEADLINE_MS,
    signal,
    onMessage: (partition, message) => book.hear(partition, message),
  })
  return book
}
