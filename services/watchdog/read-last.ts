import type { Buffer } from 'node:buffer'
import type { KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'

/** Joining takes Kafka a few seconds by itself. */
const WITHIN_MS = 20_000

/**
 * Reads a whole topic for what stands under one key.
 * @returns its last value; null where there is none
 * @throws KAFKA_UNREACHABLE, DEADLINE
 */
export async function readLast(
  connection: KafkaConnection,
  { topic, key: wanted }: { readonly topic: string; readonly key: string },
  signal: AbortSignal,
): Promise<Buffer | null> {
  let last: Buffer | null = null
  await readAll(connection, topic, {
    onMessage: (_partition, { key, value }) => {
      if (key?.toString() === wanted) last = value
    },
    signal,
    deadlineMs: WITHIN_MS,
  })
  return last
}
