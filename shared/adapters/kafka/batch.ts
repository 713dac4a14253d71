import type { EachBatchPayload, KafkaMessage } from 'kafkajs'

export interface IncomingMessage {
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  /** null: a tombstone. */
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer | undefined>>
}

/** At least one message of one partition, by rising offset; holes are legal (compaction). */
export interface Batch {
  readonly topic: string
  readonly partition: number
  readonly messages: readonly IncomingMessage[]
}

export function toBatch({ topic, partition, messages }: EachBatchPayload['batch']): Batch {
  return { topic, partition, messages: messages.map(toMessage) }
}

function toMessage({ offset, timestamp, key, value, headers }: KafkaMessage): IncomingMessage {
  const plain: Record<string, Buffer | undefined> = {}
  for (const name in headers) plain[name] = lastOf(headers[name])
  return { offset: Number(offset), timestampMs: Number(timestamp), key, value, headers: plain }
}

/** kafkajs hands over one Buffer, or a list when the header is repeated: the last one counts. */
function lastOf(header: NonNullable<KafkaMessage['headers']>[string]): Buffer | undefined {
  const last = Array.isArray(header) ? header.at(-1) : header
  return typeof last === 'string' ? Buffer.from(last) : last
}
