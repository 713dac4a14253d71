import type { OutgoingMessage } from '../outgoing-message.ts'

/** What one request has for one partition, handed to kafkajs as a single message: it looks at each several times. */
export interface Parcel {
  readonly partition: number
  readonly messages: OutgoingMessage[]
  /** kafkajs refuses a message without one. */
  readonly value: null
}

/** @returns one for each partition; its messages in their order */
export function toParcels(messages: readonly OutgoingMessage[]): Parcel[] {
  const parcels = new Map<number, Parcel>()
  for (const message of messages) {
    const { partition } = message
    const there = parcels.get(partition)
    if (there === undefined) parcels.set(partition, { partition, messages: [message], value: null })
    else there.messages.push(message)
  }
  return [...parcels.values()]
}
