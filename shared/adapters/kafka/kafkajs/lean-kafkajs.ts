/** Puts our functions where kafkajs will look for its own. Only kafkajs.ts imports this, and before kafkajs itself. */
import { createRequire } from 'node:module'
import type { OutgoingMessage } from '../outgoing-message.ts'
import type { Parcel } from '../send/parcel.ts'
import { decodeMessages } from '../wire/decode-messages.ts'
import { produceRequest } from '../wire/produce-request.ts'
import { frameRequest } from '../wire/request-frame.ts'

/** kafkajs copies a partition's list for each message that it adds. */
export function groupByPartition({
  partitionMetadata,
  messages: parcels,
}: {
  readonly partitionMetadata: readonly unknown[]
  readonly messages: readonly Parcel[]
}): Record<number, OutgoingMessage[]> {
  if (partitionMetadata.length === 0) return {}
  return Object.fromEntries(parcels.map(({ partition, messages }) => [partition, messages]))
}

const require = createRequire(import.meta.url)
/** kafkajs's own, for the test. */
export const stock = {
  produce: replace('kafkajs/src/protocol/requests/produce/v3/request.js', produceRequest),
  frame: replace('kafkajs/src/protocol/request.js', frameRequest),
  grouping: replace('kafkajs/src/producer/groupMessagesPerPartition.js', groupByPartition),
  decode: replace('kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js', decodeMessages),
}

/** Loads the module, so that there is an entry to replace; none of them stands on another that we replace. */
function replace(path: string, ours: unknown): unknown {
  const theirs: unknown = require(path)
  require.cache[require.resolve(path)]!.exports = ours
  return theirs
}
