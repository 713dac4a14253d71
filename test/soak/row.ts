import type { ProcessLook } from './processes.ts'
import type { S3Traffic } from './s3-door.ts'

/** `load`: as fast as the pipeline goes. `drain`: until nothing waits. `calm`: updates at a quarter of that rate. */
export type Phase = 'load' | 'drain' | 'calm' | 'settle'

/** One look at everything, a line of the file that a soak writes. What is counted is counted since the start. */
export interface SoakRow {
  readonly atSeconds: number
  readonly phase: Phase
  readonly loadAverage: number
  readonly written: { readonly creates: number; readonly updates: number; readonly deletes: number }
  /** By the heartbeats of the services, so up to some seconds old. */
  readonly changes: number
  readonly scored: number
  readonly tombstones: number
  readonly cached: number
  readonly snapshot: { readonly rows: number; readonly files: number; readonly gatewayKeys: number }
  /** How long the oldest sample waits for its score in Redis. */
  readonly waitingSeconds: number
  readonly lag: Readonly<Record<string, { readonly records: number; readonly seconds: number }>>
  /** Sequence numbers that the poller has not captured. */
  readonly behind: number
  readonly redis: { readonly bytes: number; readonly keys: number }
  /** By who asked. */
  readonly s3: Readonly<Record<string, S3Traffic>>
  /** Samples that came in since the last row. */
  readonly freshnessMs: readonly number[]
  readonly neverFresh: number
  readonly processes: Readonly<Record<string, ProcessLook>>
}
