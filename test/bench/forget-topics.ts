import { type KafkaConnection, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { TOPICS, type TopicName, topicName } from '@freshet/records/topics.ts'

const FORGET_WITHIN_MS = 30_000

/** A stack leaves its topics, which are small in tests; what a benchmark writes can fill a disk. */
export async function forgetTopics(connection: KafkaConnection, pipeline: string): Promise<void> {
  const topics = (Object.keys(TOPICS) as TopicName[]).map((name) => topicName(pipeline, name))
  const signal = AbortSignal.timeout(FORGET_WITHIN_MS)
  await withAdmin(connection, { doing: 'deleting the topics', signal }, (admin) =>
    admin.deleteTopics({ topics }),
  )
}
