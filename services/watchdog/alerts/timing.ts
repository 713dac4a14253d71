import type { Timing } from './alerts.ts'

/** Three times within half an hour is no accident any more. */
const FLAP = { flapOpenings: 3, flapWindowMs: 30 * 60_000, calmMs: 10 * 60_000 }
/** A look may be late without anything being missed. */
const LOOKS_IN_A_GAP = 3
const LEAST_GAP_MS = 15_000

/** How slowly alerts open and close, by the settings. */
export function timingOf(settings: {
  readonly intervalSeconds: number
  readonly resolveSeconds: number
}): Timing {
  const { intervalSeconds, resolveSeconds } = settings
  return {
    ...FLAP,
    resolveMs: resolveSeconds * 1000,
    maxGapMs: Math.max(LEAST_GAP_MS, LOOKS_IN_A_GAP * intervalSeconds * 1000),
  }
}
