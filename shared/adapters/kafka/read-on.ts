import { randomUUID } from 'node:crypto'
import { systemClock } from '@freshet/stage/clock.ts'
import type { KafkaConnection } from './connect.ts'
import { GroupConsumer, type IncomingMessage } from './consumer.ts'
import type { GroupConsumerOptions } from './group/group-options.ts'

/** A promise holds up the partition, for at most 30 s; where it rejects, its message may come again. */
export type OnMessage = (partition: number, message: IncomingMessage) => void | Promise<void>

export type OnOutside = NonNullable<GroupConsumerOptions['onOutside']>

/**
 * Reads from `positions` on until `signal` aborts, as a group of one that commits nothing: kafkajs reads only in groups.
 * The positions move on here, so a rebuilt consumer goes on. Each message comes once, in the order of its partition.
 * @throws TOPIC_MISSING, and what `onMessage` throws
 */
export async function readOn(
  connection: KafkaConnection,
  topic: string,
  positions: Map<number, number>,
  {
    onMessage,
    onOutside,
    gatherMs,
  }: { onMessage: OnMessage; onOutside?: OnOutside; gatherMs?: number | undefined },
  signal: AbortSignal,
): Promise<void> {
  const consumer = new GroupConsumer(connection, {
    groupId: `${connection.clientId}.reader.${randomUUID()}`,
    topic,
    stallMs: 30_000,
    ...(gatherMs !== undefined && { maxWaitMs: gatherMs, minFetchBytes: GATHERED_BYTES }),
    log: connection.log,
    clock: systemClock,
    onAssigned: async () => positions,
    onOutside(partition, log) {
      positions.set(partition, log.offset)
      onOutside?.(partition, log)
    },
  })
  await consumer.run(async ({ partition, messages }) => {
    for (const message of messages) {
      if (signal.aborted) return
      if (message.offset < (positions.get(partition) ?? 0)) continue
      const taking = onMessage(partition, message)
      if (taking !== undefined) await taking // without a promise nothing may come between message and position
      positions.set(partition, message.offset + 1)
    }
  }, signal)
}

/** More than gathers in a moment, and as much as an answer may hold. */
const GATHERED_BYTES = 1024 * 1024
