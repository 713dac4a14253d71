import { LastHeartbeats } from '@freshet/records/last-heartbeats.ts'
import { topicName } from '@freshet/records/topics.ts'
import type { KafkaConnection } from './connect.ts'
import { readAll } from './read-all.ts'

/**
 * What each instance of a pipeline said last.
 * @throws DEADLINE, TOPIC_MISSING, KAFKA_UNREACHABLE; never for a heartbeat that cannot be read
 */
export async function readHeartbeats(
  connection: KafkaConnection,
  pipeline: string,
  limits: { readonly deadlineMs: number; readonly signal: AbortSignal },
): Promise<Pick<LastHeartbeats, 'heard' | 'unreadable'>> {
  const last = new LastHeartbeats()
  await readAll(connection, topicName(pipeline, 'heartbeats'), {
    ...limits,
    onMessage: (_, message) => last.take(message),
  })
  return last
}
