import type { Settings } from '@freshet/config/schema.ts'
import type { Log } from '@freshet/telemetry/log.ts'
import type { Kafka } from 'kafkajs'

/** Where the brokers are and how to speak to them; opaque to all but this folder. Opens no socket by itself. */
export interface KafkaConnection {
  readonly settings: Settings['kafka']
  readonly clientId: string
  readonly log: Log
  newClient(): Kafka
}

export function connectKafka(
  _settings: Settings['kafka'],
  _options: { clientId: string; log: Log },
): KafkaConnection {
  throw new Error('to come')
}
