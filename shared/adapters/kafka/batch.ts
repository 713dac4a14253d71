import type { EachBatchPayload } from 'kafkajs'

export interface IncomingMessage {
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  /** null: a tombstone. */
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer | undefined>>
}

/**
 * At least one message of one partition, by rising offset; holes are legal (compaction). Keys, values and headers are
 * views of what the broker sent, cut out at each access: keep one rather than ask twice, and copy what is to stay.
 */
export interface Batch {
  readonly topic: string
  readonly partition: number
  readonly messages: readonly IncomingMessage[]
}

/** kafkajs passes on, untouched, what our decoder (lean-kafkajs.ts) gave it: no messages of its own. */
export function toBatch({ topic, partition, messages }: EachBatchPayload['batch']): Batch {
  return { topic, partition, messages: messages as unknown as IncomingMessage[] }
}
