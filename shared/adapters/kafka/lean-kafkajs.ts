/** Puts our functions where kafkajs will look for its own. Only kafkajs.ts imports this, and before kafkajs itself. */
import { createRequire } from 'node:module'
import { messageDecoder } from './decode-messages.ts'
import { produceRequest } from './produce-request.ts'
import { frameRequest } from './request-frame.ts'

interface Grouping<Message> {
  readonly topic: string
  readonly partitionMetadata: readonly unknown[]
  readonly messages: readonly Message[]
  readonly partitioner: (of: {
    topic: string
    partitionMetadata: readonly unknown[]
    message: Message
  }) => number
}

/** kafkajs copies a partition's list for each message that it adds. */
export function groupByPartition<Message>(grouping: Grouping<Message>): Record<number, Message[]> {
  const { topic, partitionMetadata, messages, partitioner } = grouping
  const groups: Record<number, Message[]> = {}
  if (partitionMetadata.length === 0) return groups
  for (const message of messages)
    (groups[partitioner({ topic, partitionMetadata, message })] ??= []).push(message)
  return groups
}

const require = createRequire(import.meta.url)
/** kafkajs's own, for the test. */
export const stock = {
  produce: replace('kafkajs/src/protocol/requests/produce/v3/request.js', produceRequest),
  frame: replace('kafkajs/src/protocol/request.js', frameRequest),
  grouping: replace('kafkajs/src/producer/groupMessagesPerPartition.js', groupByPartition),
  decode: replaceBy('kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js', messageDecoder),
}

/** Loads the module, so that there is an entry to replace; none of them stands on another that we replace. */
function replace(path: string, ours: unknown): unknown {
  const theirs: unknown = require(path)
  require.cache[require.resolve(path)]!.exports = ours
  return theirs
}

/** @param make ours, which falls back on theirs */
function replaceBy<Theirs>(path: string, make: (theirs: Theirs) => unknown): Theirs {
  const theirs: Theirs = require(path)
  replace(path, make(theirs))
  return theirs
}
