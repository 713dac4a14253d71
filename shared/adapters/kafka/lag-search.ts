/**
 * How old is the message at a position? Kafka tells no message's time without reading it, but it answers "which is the
 * first offset that is not older than this", for all partitions of a topic at once: at or before the position exactly
 * when the message there is young enough. So the age is searched, by halving its logarithm: a second and a month are
 * told with the same relative precision. Pure.
 *
 * Where compaction took the message away, the age of the one before it is told: rather too much than too little.
 */
export interface Probe {
  /** What was asked. */
  readonly ageMs: number
  /** By partition: the first offset not older than that; the end offset where all are older. */
  readonly offsets: ReadonlyMap<number, number>
}

/** Ages are told with this relative error, upwards. */
export const PRECISION = 1.1
/** Younger than this is no lag. */
export const YOUNGEST_MS = 200
export const OLDEST_MS = 10 * 365 * 24 * 3_600_000

/**
 * @param positions by partition: what the reader reads next, before the end
 * @returns the age to ask for next; undefined when every age is known well enough
 */
export function nextProbeAgeMs(
  positions: ReadonlyMap<number, number>,
  probes: readonly Probe[],
): number | undefined {
  if (positions.size === 0) return undefined
  if (probes.length === 0) return OLDEST_MS // tells where each log begins
  for (const [partition, position] of positions) {
    const { youngerMs, olderMs } = bracket(partition, position, probes)
    if (olderMs > youngerMs * PRECISION) return Math.sqrt(youngerMs * olderMs)
  }
  return undefined
}

/** Never less than the age of the message, and at most 10 % more once `nextProbeAgeMs` is content; 0 if young. */
export function ageMs(partition: number, position: number, probes: readonly Probe[]): number {
  const { olderMs } = bracket(partition, position, probes)
  return olderMs <= YOUNGEST_MS * PRECISION ? 0 : olderMs
}

/** The age lies between these: `youngerMs` is too young to reach back to the message, `olderMs` reaches it. */
function bracket(
  partition: number,
  position: number,
  probes: readonly Probe[],
): { youngerMs: number; olderMs: number } {
  const first = Math.min(...probes.map(({ offsets }) => offsets.get(partition) ?? position))
  let youngerMs = YOUNGEST_MS
  let olderMs = OLDEST_MS
  for (const { ageMs, offsets } of probes) {
    const reached = (offsets.get(partition) ?? position) <= Math.max(position, first)
    if (reached) olderMs = Math.min(olderMs, ageMs)
    else youngerMs = Math.max(youngerMs, ageMs)
  }
  return { youngerMs, olderMs: Math.max(olderMs, youngerMs) }
}
