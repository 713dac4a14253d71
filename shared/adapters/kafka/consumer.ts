import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/telemetry/log.ts'
import type { KafkaConnection } from './connect.ts'

export interface IncomingMessage {
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer | undefined>>
}

export interface Batch {
  readonly topic: string
  readonly partition: number
  readonly messages: readonly IncomingMessage[]
  readonly highWatermark: number
}

export interface Lease {
  /** @throws KAFKA_STALE when this generation may no longer write */
  check(): void
  heartbeat(): Promise<void>
  commit(nextOffset: number): Promise<void>
  readonly signal: AbortSignal
}

export type Handle = (batch: Batch, lease: Lease) => Promise<void>

export interface GroupConsumerOptions {
  readonly groupId: string
  readonly topic: string
  readonly stallMs: number
  readonly minBytes?: number
  readonly maxWaitMs?: number
  readonly concurrency?: number
  readonly log: Log
  readonly clock: Clock
  readonly onAssigned?: (partitions: readonly number[]) => Promise<ReadonlyMap<number, number>>
  readonly onRevoked?: (partitions: readonly number[]) => void
}

export class GroupConsumer {
  constructor(_connection: KafkaConnection, _options: GroupConsumerOptions) {}

  async run(_handle: Handle, _signal: AbortSignal): Promise<void> {
    throw new Error('to come')
  }
}
