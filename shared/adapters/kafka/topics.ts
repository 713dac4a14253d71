import type { Settings } from '@freshet/config/schema.ts'
import type { TopicName } from '@freshet/records/topics.ts'
import type { KafkaConnection } from './connect.ts'

export async function createTopics(
  _connection: KafkaConnection,
  _pipeline: string,
  _settings: Settings['kafka'],
): Promise<void> {
  throw new Error('to come')
}

/** @returns the partitions of each topic */
export async function checkTopics(
  _connection: KafkaConnection,
  _pipeline: string,
): Promise<ReadonlyMap<TopicName, number>> {
  throw new Error('to come')
}
