import { topicName } from '@freshet/records/topics.ts'
import { type KafkaConnection, withAdmin } from './connect.ts'
import kafkajs from './kafkajs/kafkajs.ts'

const SETTING = 'max.message.bytes'

/**
 * The largest batch, and so the largest message, that `.changes` and `.dead` both take, in bytes.
 * @throws KAFKA_UNREACHABLE, KAFKA_UNAUTHORIZED, TOPIC_MISSING; DEADLINE when `signal` aborts
 */
export async function readMaxMessageBytes(
  connection: KafkaConnection,
  pipeline: string,
  signal: AbortSignal,
): Promise<number> {
  const topics = [topicName(pipeline, 'changes'), topicName(pipeline, 'dead')]
  const doing = `reading ${SETTING} of ${topics.join(' and ')}`
  const { resources } = await withAdmin(connection, { doing, signal }, (admin) =>
    admin.describeConfigs({
      includeSynonyms: false,
      resources: topics.map((name) => ({
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name,
        configNames: [SETTING],
      })),
    }),
  )
  return Math.min(...resources.map(({ configEntries }) => Number(configEntries[0]?.configValue)))
}
