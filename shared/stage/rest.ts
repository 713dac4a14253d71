/** How long work that took so long rests, so that it takes no more than its share of the time, above 0 and up to 1. */
export function restMsAfter(workedMs: number, share: number): number {
  return Math.max(0, workedMs) * (1 / share - 1)
}
