import type { Context } from 'hono'
import type { Answered } from '../answered.ts'
import type { Caller } from '../keys/access.ts'
import type { Deadline } from '../server/deadline.ts'

/** One request on its way through its route. */
export interface Call {
  readonly context: Context
  /** As it is recorded: `/v1/scores/{key}`. */
  readonly route: string
  /** Who asks, and what else it may ask for. */
  readonly caller: Caller
  /** Lowered already by what the caller asked for. */
  readonly deadline: Deadline
  /** To be set by whoever answers; it is counted and traced. */
  answered: Answered | undefined
  /** Told of a body that is there, before it is looked at. @throws OVERLOADED when its work cannot be done in time */
  begin(bodyBytes: number): void
}

/** Milliseconds since the request was accepted. */
export function tookMs({ deadline }: Call): number {
  return performance.now() - deadline.acceptedAtMs
}
