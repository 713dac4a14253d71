import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/telemetry/log.ts'
import type { KafkaConnection } from './connect.ts'

export interface OutgoingMessage {
  readonly partition: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: Readonly<Record<string, Buffer>>
  readonly timestampMs?: number
}

export class Producer implements AsyncDisposable {
  constructor(_connection: KafkaConnection, _options: { clock: Clock; log: Log; deadlineMs: number }) {}

  async send(_topic: string, _messages: readonly OutgoingMessage[], _signal: AbortSignal): Promise<void> {
    throw new Error('to come')
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
