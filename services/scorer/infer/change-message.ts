import type { Buffer } from 'node:buffer'

/** A message of `.changes` as Kafka gave it, before anything is known about it. */
export interface ChangeMessage {
  readonly offset: number
  readonly key: Buffer | null
  /** `_source`, or null for a delete. */
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer | undefined>>
}
