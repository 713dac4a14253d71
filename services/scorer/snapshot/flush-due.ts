export interface FlushTimes {
  /** When a delta of our partitions was last committed, by whomever; 0: never. All in wall-clock milliseconds. */
  readonly committedAtMs: number
  /** When our membership began. */
  readonly begunAtMs: number
  /** When a flush of this membership was last begun, whether or not there was something to write; 0: never. */
  readonly flushedAtMs: number
}

/**
 * When the next flush is due: an interval after the last commit. It counts from the commit and not from our start, so that
 * a worker that dies more often than the interval still writes; who starts late first collects for a moment.
 */
export function flushDueMs(
  { committedAtMs, begunAtMs, flushedAtMs }: FlushTimes,
  intervalMs: number,
): number {
  const lastMs = Math.max(flushedAtMs, Math.min(committedAtMs, begunAtMs)) // another's clock may be ahead of ours
  return Math.max(lastMs + intervalMs, begunAtMs + Math.min(intervalMs, COLLECT_MS))
}

const COLLECT_MS = 5_000
