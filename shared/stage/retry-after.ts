/**
 * What the `Retry-After` of an answer asks for: seconds or a date, as HTTP allows; 0 where there is none. Never more than
 * `maxMs`: whoever answers may ask for years, and a timer for so long fires at once.
 */
export function retryAfterMs(
  header: string | null | undefined,
  { nowMs, maxMs }: { readonly nowMs: number; readonly maxMs: number },
): number {
  if (header == null) return 0
  const seconds = Number(header)
  const ms = Number.isNaN(seconds) ? Date.parse(header) - nowMs : seconds * 1000
  return Number.isNaN(ms) ? 0 : Math.min(maxMs, Math.max(0, ms))
}
