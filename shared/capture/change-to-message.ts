import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import type { OutgoingMessage } from '@freshet/adapters/kafka/producer.ts'
import { CHANGE_HEADER, type Change, encodeChangeHeader } from '@freshet/records/change.ts'

/** A change as it stands in `.changes`. @param partitions of the topic */
export function changeToMessage(change: Change, partitions: number): OutgoingMessage {
  return {
    partition: partitionOf(change.key, partitions),
    key: change.key,
    value: change.source,
    headers: { [CHANGE_HEADER]: encodeChangeHeader(change) },
    timestampMs: change.capturedAtMs,
  }
}
