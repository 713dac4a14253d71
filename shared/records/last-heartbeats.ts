import type { Buffer } from 'node:buffer'
import { describeError } from '@freshet/errors/errors.ts'
import { type Heartbeat, heartbeatRecord, isHeartbeatKey } from './heartbeat.ts'

export interface UnreadableHeartbeat {
  /** `service/instance`. */
  readonly name: string
  /** With its code, and what to do. */
  readonly error: string
}

/** When it was heard, by its record in Kafka. */
export interface HeardHeartbeat {
  readonly heartbeat: Heartbeat
  readonly heardAtMs: number
}

/** The last word of each instance. One that cannot be read, such as a newer build's, is passed over and named: the others count. */
export class LastHeartbeats {
  readonly #read = new Map<string, HeardHeartbeat>()
  readonly #unreadable = new Map<string, string>()

  /** Takes a record of `.heartbeats`; those of a key in their order. Never throws. */
  take({
    key,
    value,
    timestampMs,
  }: {
    readonly key: Buffer | null
    readonly value: Buffer | null
    readonly timestampMs: number
  }): void {
    if (key === null || value === null || !isHeartbeatKey(key.toString())) return
    const name = key.toString()
    try {
      this.#read.set(name, { heartbeat: heartbeatRecord.decode(value), heardAtMs: timestampMs })
      this.#unreadable.delete(name)
    } catch (error) {
      this.#read.delete(name)
      this.#unreadable.set(name, describeError(error))
    }
  }

  get heartbeats(): readonly Heartbeat[] {
    return this.heard.map(({ heartbeat }) => heartbeat)
  }

  get heard(): readonly HeardHeartbeat[] {
    return [...this.#read.values()]
  }

  get unreadable(): readonly UnreadableHeartbeat[] {
    return [...this.#unreadable].map(([name, error]) => ({ name, error }))
  }
}
