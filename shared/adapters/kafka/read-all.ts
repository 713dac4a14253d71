import type { KafkaConnection } from './connect.ts'
import type { IncomingMessage } from './consumer.ts'

export type OnMessage = (partition: number, message: IncomingMessage) => void

export async function readAll(
  _connection: KafkaConnection,
  _topic: string,
  _options: { onMessage: OnMessage; signal: AbortSignal; deadlineMs: number },
): Promise<void> {
  throw new Error('to come')
}

export async function tail(
  _connection: KafkaConnection,
  _topic: string,
  _options: { fromTimestampMs?: number; onMessage: OnMessage; signal: AbortSignal },
): Promise<void> {
  throw new Error('to come')
}
