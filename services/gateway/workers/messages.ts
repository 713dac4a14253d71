import type { Settings } from '@freshet/config/schema.ts'
import type { ErrorCode } from '@freshet/errors/errors.ts'
import type { TraceOrder } from '@freshet/telemetry/traced/ordered-keys.ts'
import type { Spent } from '../keys/access.ts'
import type { Family } from '../metrics/prometheus-text.ts'

/** What the first process says to a worker. */
export type ToWorker =
  | {
      readonly kind: 'begin'
      readonly settings: Settings
      readonly instance: string
      readonly number: number
    }
  | { readonly kind: 'stop' }
  /** Requests of keys that have a rate, which another worker let in. */
  | { readonly kind: 'spent elsewhere'; readonly spent: Spent }
  /** Somebody wants to see these documents on their way. */
  | { readonly kind: 'trace'; readonly orders: readonly TraceOrder[] }
  /** Somebody asks for the figures of all: what are yours? */
  | { readonly kind: 'tell figures'; readonly id: number }
  /** What the worker has asked for. */
  | { readonly kind: 'figures of all'; readonly id: number; readonly families: Family[] }

/** What a worker says to the first process. */
export type FromWorker =
  | { readonly kind: 'began' }
  /** Every second: counters as they stand, and progress since the last time. */
  | { readonly kind: 'counted'; readonly metrics: Counts; readonly progress: Counts }
  /** Requests of keys that have a rate, since the last time. */
  | { readonly kind: 'spent'; readonly spent: Spent }
  | { readonly kind: 'model'; readonly label: string }
  | { readonly kind: 'trouble'; readonly stage: string; readonly fault: Fault | null }
  | { readonly kind: 'ask figures'; readonly id: number }
  | { readonly kind: 'figures'; readonly id: number; readonly families: Family[] }
  /** The last word of one that cannot go on. */
  | { readonly kind: 'failed'; readonly fault: Fault }

export type Counts = Readonly<Record<string, number>>

export interface Fault {
  readonly code: ErrorCode
  readonly message: string
}
