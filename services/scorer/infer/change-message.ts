import type { Buffer } from 'node:buffer'
import type { ErrorCode } from '@freshet/errors/errors.ts'

/** A message of `.changes` as Kafka gave it, before anything is known about it. */
export interface ChangeMessage {
  readonly offset: number
  readonly key: Buffer | null
  /** `_source`, or null for a delete. */
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer | undefined>>
}

/** A change set aside, and why: no retry mends it. */
export interface DeadChange {
  readonly message: ChangeMessage
  readonly code: ErrorCode
  /** JSON pointer to the field; null when the whole change is the problem. */
  readonly at: string | null
  readonly reason: string
}
