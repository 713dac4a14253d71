import type { Buffer } from 'node:buffer'

export interface OutgoingMessage {
  readonly partition: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: Readonly<Record<string, Buffer>>
  /** Default: the time of sending. */
  readonly timestampMs?: number
}

/**
 * A message that writes itself: its parts lie among those of others, and as objects of their own they would only feed the
 * garbage collector. They are made when somebody asks for them.
 */
export interface SelfWritten extends OutgoingMessage {
  /** Of key, value and headers as a record has them. */
  readonly bodyBytes: number
  /** @returns where they end. */
  writeBody(into: Buffer, at: number): number
}

export function isSelfWritten(message: OutgoingMessage): message is SelfWritten {
  return 'writeBody' in message
}
