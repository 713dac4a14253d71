/** Membership in the group that shares the shards: who holds a partition of `.cursors` captures what lies in it. */
import { randomUUID } from 'node:crypto'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { GroupConsumer } from '@freshet/adapters/kafka/consumer.ts'
import type { Producer } from '@freshet/adapters/kafka/producer.ts'
import { captureGroup, topicName } from '@freshet/records/topics.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { CursorIntake } from './cursor-intake.ts'
import { markPartitions } from './cursor-store.ts'
import type { ShardTable } from './shard-table.ts'

export interface ShareOptions {
  readonly connection: KafkaConnection
  readonly pipeline: string
  readonly table: Pick<ShardTable, 'assign' | 'know' | 'revoke' | 'read' | 'readBroken' | 'partitions'>
  /** Of marks. */
  readonly producer: Producer
  readonly telemetry: Pick<Telemetry, 'log' | 'metrics'>
  readonly clock: Clock
  readonly signal: AbortSignal
}

/**
 * Keeps the table's partitions and cursors as the group has them, until `signal` aborts. A partition is read from its
 * beginning each time that it comes to us, and nothing is committed: the lag of this group says nothing.
 * @throws errors that a retry cannot help, RECORD_VERSION for a cursor of a newer release among them
 */
export async function shareShards(options: ShareOptions): Promise<void> {
  const { connection, pipeline, table, producer, telemetry, clock, signal } = options
  const { log } = telemetry
  const intake = new CursorIntake(table, telemetry)
  const marks = new Map<number, string>()
  const consumer = new GroupConsumer(connection, {
    groupId: captureGroup(pipeline),
    topic: topicName(pipeline, 'cursors'),
    stallMs: STALL_MS,
    maxWaitMs: MAX_WAIT_MS,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    log,
    clock,
    async onAssigned(partitions) {
      for (const partition of partitions) {
        table.assign(partition)
        intake.begin(partition)
        marks.set(partition, `mark/${randomUUID()}`)
      }
      await markPartitions(producer, pipeline, new Map(marks), signal)
      return new Map(partitions.map((partition) => [partition, 0]))
    },
    onRevoked(partitions) {
      for (const partition of partitions) table.revoke(partition)
      marks.clear()
      if (!signal.aborted)
        log.info(`the shards of cursor partitions ${inOrder(partitions)} are shared out anew`)
    },
  })
  await consumer.run(async ({ partition, messages }) => {
    for (const message of messages) {
      const isMark = message.key?.toString() === marks.get(partition)
      if (!isMark) intake.take(partition, message)
      if (isMark || !marks.has(partition)) intake.check(partition)
      if (isMark) {
        table.know(partition)
        marks.delete(partition)
        if (marks.size === 0)
          log.info(`capturing the shards of cursor partitions ${inOrder(table.partitions())}`)
      }
    }
  }, signal)
}

function inOrder(partitions: Iterable<number>): string {
  return [...partitions].sort((a, b) => a - b).join(', ')
}

/** A write of marks takes so long at most. */
const STALL_MS = 70_000
/** The least that brokers allow: a dead poller's shards stand still for so long. */
const SESSION_TIMEOUT_MS = 6_000
/** Kafka answers as soon as there is something; when there is nothing, this is how often it is asked again. */
const MAX_WAIT_MS = 2_000
