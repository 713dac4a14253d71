import { systemClock } from '@freshet/stage/clock.ts'
import kafkajs, { type Admin, type ITopicConfig } from './kafkajs.ts'

/**
 * Makes topics, and resolves when every partition of them has a leader that answers. kafkajs's own wait for leaders
 * throws although the topic is made, when the broker that it asks has not yet heard of it.
 * Ends at the latest with the deadline of `withAdmin`, whose client then refuses to answer.
 */
export async function createLed(
  admin: Admin,
  topics: readonly ITopicConfig[],
  signal: AbortSignal,
): Promise<void> {
  await admin.createTopics({ topics: [...topics], waitForLeaders: false })
  for (const { topic } of topics)
    while (!signal.aborted && !(await isLed(admin, topic))) await systemClock.sleep(50, signal)
}

async function isLed(admin: Admin, topic: string): Promise<boolean> {
  try {
    const partitions = await partitionsOf(admin, topic)
    if (partitions.length === 0 || partitions.some(({ leader }) => leader < 0)) return false
    await admin.fetchTopicOffsets(topic) // a broker is named as leader before it knows that it is
    return true
  } catch (error) {
    if (error instanceof kafkajs.KafkaJSProtocolError && error.retriable) return false // it has not yet heard of it
    throw error
  }
}

export async function partitionsOf(admin: Admin, topic: string) {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  return topics[0]?.partitions ?? []
}
