import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import { type Cursor, cursorRecord } from '@freshet/records/cursor.ts'
import { topicName } from '@freshet/records/topics.ts'

const READ_DEADLINE_MS = 30_000

/**
 * Every cursor by `indexUuid/shard`, as somebody who captures nothing sees them: of one shard the last one of its
 * highest epoch, since a poller that wakes up late writes what was true once.
 * @throws KAFKA_UNREACHABLE, TOPIC_MISSING, DEADLINE
 */
export async function readCursors(
  connection: KafkaConnection,
  pipeline: string,
  signal: AbortSignal,
): Promise<Map<string, Cursor>> {
  const cursors = new Map<string, Cursor>()
  await readAll(connection, topicName(pipeline, 'cursors'), {
    deadlineMs: READ_DEADLINE_MS,
    signal,
    onMessage: (_, { key, value }) => {
      if (key === null) return
      const name = key.toString()
      if (value === null) cursors.delete(name)
      else cursors.set(name, later(cursors.get(name), cursorRecord.decode(value)))
    },
  })
  return cursors
}

function later(there: Cursor | undefined, incoming: Cursor): Cursor {
  return there !== undefined && there.epoch > incoming.epoch ? there : incoming
}
