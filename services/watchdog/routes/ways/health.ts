/** How a way to people does, and when it is to be tried again. Pure. */
import { type BackOff, delayMs } from '@freshet/stage/back-off.ts'
import type { Outcome } from './way.ts'

export interface Health {
  /** Since when it has not taken what it was given; null while all is well. */
  readonly failingSinceMs: number | null
  readonly failures: number
  /** It takes nothing until somebody mends it. */
  readonly isClosed: boolean
  /** When it last failed; a clock that shows less was set back, and says nothing of how long it has rested. */
  readonly failedAtMs: number
  /** Not to be tried before. */
  readonly restUntilMs: number
  /** What it said last. */
  readonly why: string
}

export const WELL: Health = {
  ...{ failingSinceMs: null, failures: 0, isClosed: false },
  ...{ failedAtMs: 0, restUntilMs: 0, why: '' },
}

const BACK_OFF: BackOff = { firstMs: 1_000, maxMs: 60_000 }
/** A channel may be opened again, or an address be mended at the other side. */
const CLOSED_REST_MS = 600_000

export interface Moment {
  readonly nowMs: number
  readonly random: () => number
}

export function after(health: Health, outcome: Outcome, { nowMs, random }: Moment): Health {
  switch (outcome.kind) {
    case 'taken':
      return WELL
    case 'refused': // it answers, so it works; the notice is what is wrong
      return { ...WELL, why: outcome.why }
    case 'later': {
      const restMs = Math.max(outcome.afterMs, delayMs(BACK_OFF, health.failures, random))
      return failing(false, restMs, outcome.why)
    }
    case 'closed':
      return failing(true, CLOSED_REST_MS, outcome.why)
  }

  function failing(isClosed: boolean, restMs: number, why: string): Health {
    return {
      failingSinceMs: health.failingSinceMs ?? nowMs,
      failures: health.failures + 1,
      isClosed,
      failedAtMs: nowMs,
      restUntilMs: nowMs + restMs,
      why,
    }
  }
}

export function isResting({ failedAtMs, restUntilMs }: Health, nowMs: number): boolean {
  return failedAtMs <= nowMs && nowMs < restUntilMs
}

/** When a way is given up on for the time being, so that the next one is used; null: it is not failing. */
export function outFromMs({ failingSinceMs, isClosed }: Health, fallbackMs: number): number | null {
  if (failingSinceMs === null) return null
  return isClosed ? failingSinceMs : failingSinceMs + fallbackMs
}

export function isOut(health: Health, fallbackMs: number, nowMs: number): boolean {
  return (outFromMs(health, fallbackMs) ?? Number.POSITIVE_INFINITY) <= nowMs
}
