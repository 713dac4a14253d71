import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import { readCursorMessage } from '@freshet/capture/cursor-message.ts'
import type { FreshetError } from '@freshet/errors/errors.ts'
import type { Cursor } from '@freshet/records/cursor.ts'
import { topicName } from '@freshet/records/topics.ts'

const READ_DEADLINE_MS = 30_000

/**
 * Every cursor by `indexUuid/shard`, as somebody who captures nothing sees them: of one shard the last one of its
 * highest epoch, since a poller that wakes up late writes what was true once. One that cannot be read is passed over: who
 * captures its shard writes another.
 * @throws KAFKA_UNREACHABLE, TOPIC_MISSING, DEADLINE, RECORD_VERSION for a shard that a newer release has captured last
 */
export async function readCursors(
  connection: KafkaConnection,
  pipeline: string,
  signal: AbortSignal,
): Promise<Map<string, Cursor>> {
  const cursors = new Map<string, Cursor>()
  const newer = new Map<string, FreshetError>()
  await readAll(connection, topicName(pipeline, 'cursors'), {
    deadlineMs: READ_DEADLINE_MS,
    signal,
    onMessage: (partition, message) => {
      const said = readCursorMessage(partition, message)
      if (said.kind === 'newer') newer.set(said.key, said.error)
      if (said.kind !== 'cursor') return
      const { key, cursor } = said
      newer.delete(key)
      if (cursor === null) cursors.delete(key)
      else cursors.set(key, later(cursors.get(key), cursor))
    },
  })
  for (const error of newer.values()) throw error
  return cursors
}

function later(there: Cursor | undefined, incoming: Cursor): Cursor {
  return there !== undefined && there.epoch > incoming.epoch ? there : incoming
}
