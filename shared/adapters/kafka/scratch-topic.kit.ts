import { randomUUID } from 'node:crypto'
import { loadSettings } from '@freshet/config/load.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { vi } from 'vitest'
import { connectKafka, type KafkaConnection, withAdmin } from './connect.ts'
import { createLed } from './kafkajs/create-led.ts'
import { type OutgoingMessage, Producer } from './producer.ts'

/** A topic for one integration test, on the brokers of FRESHET_KAFKA_BROKERS; deleted when disposed. */
export interface ScratchTopic extends AsyncDisposable {
  readonly topic: string
  readonly groupId: string
  readonly connection: KafkaConnection
  readonly log: Log
  /** Lines of level warn and error so far. */
  readonly complaints: readonly string[]
  write(messages: readonly OutgoingMessage[]): Promise<void>
  /** Forgets messages below the offset, as retention does. */
  truncate(partition: number, offset: number): Promise<void>
  /** Deletes the topic and makes it anew, with one partition. */
  remake(): Promise<void>
}

/** Its key is its text too. */
export function textMessage(partition: number, text: string, timestampMs?: number): OutgoingMessage {
  const bytes = Buffer.from(text)
  return { partition, key: bytes, value: bytes, ...(timestampMs !== undefined && { timestampMs }) }
}

export async function scratchTopic(
  partitions: number,
  config: Readonly<Record<string, string>> = {},
): Promise<ScratchTopic> {
  const topic = `test-${randomUUID()}`
  const complaints: string[] = []
  const log: Log = {
    ...quietLog,
    warn: (message) => void complaints.push(message),
    error: (message, error) => void complaints.push(`${message}: ${error}`),
  }
  const connection = connectKafka(loadSettings({ env: process.env }).kafka, { clientId: 'test', log })
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
  const signal = AbortSignal.timeout(20_000)
  await withAdmin(connection, { doing: 'creating', signal }, (admin) =>
    createLed(admin, [{ topic, numPartitions: partitions, configEntries }], signal),
  )
  const producer = new Producer(connection, { clock: systemClock, log, deadlineMs: 20_000 })
  return {
    topic,
    groupId: topic,
    connection,
    log,
    complaints,
    write: (messages) => producer.send(topic, messages, AbortSignal.timeout(20_000)),
    truncate: (partition, offset) =>
      withAdmin(connection, { doing: 'truncating', signal: AbortSignal.timeout(20_000) }, async (admin) => {
        await admin.fetchTopicOffsets(topic) // deleteTopicRecords alone knows no leaders
        await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: `${offset}` }] })
      }),
    remake: () =>
      withAdmin(connection, { doing: 'making anew', signal: AbortSignal.timeout(20_000) }, async (admin) => {
        await admin.deleteTopics({ topics: [topic] })
        const isGone = async () => !(await admin.listTopics()).includes(topic) // its broker writes to it until it has heard
        await vi.waitUntil(isGone, { timeout: 20_000 })
        await createLed(admin, [{ topic, numPartitions: 1 }], AbortSignal.timeout(20_000))
      }),
    async [Symbol.asyncDispose]() {
      await producer[Symbol.asyncDispose]()
      await withAdmin(connection, { doing: 'deleting', signal: AbortSignal.timeout(20_000) }, (admin) =>
        admin.deleteTopics({ topics: [topic] }),
      )
    },
  }
}
