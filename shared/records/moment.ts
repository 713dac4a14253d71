/**
 * Moments as records keep them, in wall-clock milliseconds since 1970. A number that no Date can show is none: whoever
 * writes it as ISO 8601 would throw, over and over, far from where it came in.
 */
import { z } from 'zod'

/** In the year 275760. */
const LAST_MOMENT_MS = 8.64e15

/** All whole numbers from 0 up to here are moments, this one is none. */
export const MOMENTS_END_MS = LAST_MOMENT_MS + 1

/** What a column or a line of a score keeps. */
export function isMoment(ms: number): boolean {
  return Number.isSafeInteger(ms) && ms >= 0 && ms < MOMENTS_END_MS
}

export const momentSchema = z.number().min(-LAST_MOMENT_MS).max(LAST_MOMENT_MS)
