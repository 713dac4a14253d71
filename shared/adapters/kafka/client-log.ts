import type { Log, LogAttributes } from '@freshet/telemetry/log.ts'
import { type logCreator, logLevel } from 'kafkajs'

/**
 * Writes kafkajs's lines into our log, one level lower than it thinks of them: what it calls an error it mostly retries
 * by itself, and what it cannot mend reaches us as a rejection or a crash.
 */
export function clientLog(log: Log): logCreator {
  return () =>
    ({ namespace, level, log: { message, timestamp: _, logger: __, ...details } }) => {
      const write = level === logLevel.ERROR ? log.warn : level === logLevel.WARN ? log.info : log.debug
      write.call(log, `kafkajs ${namespace || 'client'}: ${message}`, attributesOf(details))
    }
}

/** kafkajs's own names for details, and the names that OpenTelemetry has for them. Others are left out. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  broker: 'server.address',
  topic: 'messaging.destination.name',
  partition: 'messaging.destination.partition.id',
  groupId: 'messaging.consumer.group.name',
  error: 'exception.message',
  retryCount: 'freshet.kafka.retry_count',
}

function attributesOf(details: Record<string, unknown>): LogAttributes {
  const attributes: Record<string, string | number | boolean> = {}
  for (const [name, value] of Object.entries(details)) {
    const known = ATTRIBUTES[name]
    if (known !== undefined && value !== undefined && value !== null)
      attributes[known] = value instanceof Error ? value.message : String(value)
  }
  return attributes
}
