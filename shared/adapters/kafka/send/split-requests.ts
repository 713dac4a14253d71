import { isSelfWritten, type OutgoingMessage } from '../outgoing-message.ts'

/**
 * The bounds of one produce request. Below the broker's 1 MiB a batch, and all partitions together far below the 100 MB
 * that a broker reads; bigger requests gain nothing.
 */
export const REQUEST_LIMITS = {
  maxPartitionMessages: 500,
  maxPartitionBytes: 900_000,
  maxBytes: 8_000_000,
} as const

/**
 * Cuts messages into requests within the limits, to be sent one after the other: a partition's messages keep their
 * order. A message that breaks a limit alone has its partition of a request to itself; the broker judges it.
 */
export function splitRequests(
  messages: readonly OutgoingMessage[],
  limits: Readonly<Record<keyof typeof REQUEST_LIMITS, number>> = REQUEST_LIMITS,
): OutgoingMessage[][] {
  const requests: Request[] = []
  const reached = new Map<number, number>()
  for (const message of messages) {
    const bytes = bytesOf(message)
    let at = reached.get(message.partition) ?? 0
    while (requests[at] && !hasRoom(requests[at]!, message.partition, bytes, limits)) at++
    reached.set(message.partition, at)
    put((requests[at] ??= { messages: [], bytes: 0, partitions: new Map() }), message, bytes)
  }
  return requests.map((request) => request.messages)
}

/** About what a message takes on the wire: its parts and the overhead of a record. */
export function bytesOf(message: OutgoingMessage): number {
  if (isSelfWritten(message)) return RECORD_OVERHEAD_BYTES + message.bodyBytes
  const { key, value, headers } = message
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0)
  for (const name in headers) bytes += name.length + headers[name]!.length + 4
  return bytes
}

const RECORD_OVERHEAD_BYTES = 24

interface Request {
  readonly messages: OutgoingMessage[]
  bytes: number
  readonly partitions: Map<number, { messages: number; bytes: number }>
}

function hasRoom(
  request: Request,
  partition: number,
  bytes: number,
  limits: Readonly<Record<keyof typeof REQUEST_LIMITS, number>>,
): boolean {
  const there = request.partitions.get(partition)
  if (request.bytes + bytes > limits.maxBytes) return false
  if (!there) return true
  return there.messages < limits.maxPartitionMessages && there.bytes + bytes <= limits.maxPartitionBytes
}

function put(request: Request, message: OutgoingMessage, bytes: number): void {
  request.messages.push(message)
  request.bytes += bytes
  const there = request.partitions.get(message.partition)
  if (there === undefined) request.partitions.set(message.partition, { messages: 1, bytes })
  else {
    there.messages++
    there.bytes += bytes
  }
}
