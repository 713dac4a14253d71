/**
 * A produce request of kafkajs 2.2.4 (versions 3 to 7 have one body) in one buffer of its exact size, where stock copies
 * everything five times through growing, zero-filled encoders. The bytes are the same, and a test holds them to it.
 *
 * transactional id nullable string, acks i16, timeout i32 in ms, topics i32 count; each: name string, partitions i32
 * count; each: partition i32, length i32, batch.
 */
import { Buffer } from 'node:buffer'
import type { OutgoingMessage } from '../outgoing-message.ts'
import { type PlannedBatch, planBatch, writeBatch } from './record-batch.ts'

/** As kafkajs hands it over: our messages pass through it untouched. */
export interface ProduceRequest {
  readonly acks: number
  /** Milliseconds. */
  readonly timeout: number
  readonly topicData: readonly {
    readonly topic: string
    readonly partitions: readonly {
      readonly partition: number
      readonly messages: readonly OutgoingMessage[]
    }[]
  }[]
  readonly transactionalId?: string | null
  readonly compression?: number
}

/** What kafkajs wants to know of an encoder. */
export interface Encoded {
  readonly buffer: Buffer
  /** Bytes of `buffer` that were left free before what is encoded. */
  readonly headroomBytes?: number
  size(): number
}

/** In the place of kafkajs's own, for a producer that is not idempotent. */
export function produceRequest(request: ProduceRequest) {
  return {
    apiKey: 0,
    apiVersion: 3,
    apiName: 'Produce',
    expectResponse: () => request.acks !== 0,
    /** @param headroomBytes for the frame, so that nobody needs to copy all of it once more */
    encode: async (headroomBytes = 0) => encodeProduce(request, headroomBytes),
  }
}

/** @throws when compression or a transaction is asked for: nobody here does */
function encodeProduce(
  { acks, timeout, topicData, transactionalId, compression }: ProduceRequest,
  headroomBytes: number,
): Encoded {
  if (compression || transactionalId)
    throw new Error('this encoder neither compresses nor knows transactions')
  const topics = topicData.map(planTopic)
  const buffer = Buffer.allocUnsafe(headroomBytes + 12 + topics.reduce((sum, { bytes }) => sum + bytes, 0))
  let at = buffer.writeInt16BE(-1, headroomBytes)
  at = buffer.writeInt16BE(acks, at)
  at = buffer.writeInt32BE(timeout, at)
  at = buffer.writeInt32BE(topics.length, at)
  for (const topic of topics) at = writeTopic(buffer, topic, at)
  return { buffer, headroomBytes, size: () => buffer.length - headroomBytes }
}

interface PlannedTopic {
  readonly bytes: number
  readonly name: Buffer
  readonly partitions: readonly { readonly partition: number; readonly batch: PlannedBatch }[]
}

function planTopic({ topic, partitions }: ProduceRequest['topicData'][number]): PlannedTopic {
  const nowMs = Date.now()
  const name = Buffer.from(topic)
  const planned = partitions.map(({ partition, messages }) => ({
    partition,
    batch: planBatch(messages, nowMs),
  }))
  const bytes = planned.reduce((sum, { batch }) => sum + 8 + batch.bytes, 6 + name.length)
  return { bytes, name, partitions: planned }
}

function writeTopic(into: Buffer, { name, partitions }: PlannedTopic, start: number): number {
  let at = into.writeInt16BE(name.length, start)
  at += name.copy(into, at)
  at = into.writeInt32BE(partitions.length, at)
  for (const { partition, batch } of partitions) {
    at = into.writeInt32BE(partition, at)
    at = into.writeInt32BE(batch.bytes, at)
    at = writeBatch(into, batch, at)
  }
  return at
}
