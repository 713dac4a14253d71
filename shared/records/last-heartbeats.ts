import type { Buffer } from 'node:buffer'
import { describeError } from '@freshet/errors/errors.ts'
import { type Heartbeat, heartbeatRecord, isHeartbeatKey } from './heartbeat.ts'

export interface UnreadableHeartbeat {
  /** `service/instance`. */
  readonly name: string
  /** With its code, and what to do. */
  readonly error: string
}

/** The last word of each instance. One that cannot be read, such as a newer build's, is passed over and named: the others count. */
export class LastHeartbeats {
  readonly #read = new Map<string, Heartbeat>()
  readonly #unreadable = new Map<string, string>()

  /** Takes a record of `.heartbeats`; those of a key in their order. Never throws. */
  take({ key, value }: { readonly key: Buffer | null; readonly value: Buffer | null }): void {
    if (key === null || value === null || !isHeartbeatKey(key.toString())) return
    const name = key.toString()
    try {
      this.#read.set(name, heartbeatRecord.decode(value))
      this.#unreadable.delete(name)
    } catch (error) {
      this.#read.delete(name)
      this.#unreadable.set(name, describeError(error))
    }
  }

  get heartbeats(): readonly Heartbeat[] {
    return [...this.#read.values()]
  }

  get unreadable(): readonly UnreadableHeartbeat[] {
    return [...this.#unreadable].map(([name, error]) => ({ name, error }))
  }
}
