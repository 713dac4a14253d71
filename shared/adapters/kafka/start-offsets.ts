/** What is known of a partition when it is assigned. */
export interface AssignedPartition {
  /** First offset that the log still has. */
  readonly low: number
  /** Offset that the next message will get. */
  readonly high: number
  /** What the group has committed. */
  readonly committed: number | undefined
  /** What the owner wants instead, e.g. from a manifest. */
  readonly wanted: number | undefined
}

export interface Start {
  readonly offset: number
  /** The position that the log does not have, or no longer: something was lost, or the topic was made anew. */
  readonly outside?: { readonly position: number; readonly missing: number }
}

/**
 * Where to begin: what is wanted, else what is committed, else the beginning. A position outside the log begins at the
 * beginning too: reading again is harmless, skipping is not.
 */
export function startOf({ low, high, committed, wanted }: AssignedPartition): Start {
  const position = wanted ?? committed
  if (position === undefined) return { offset: low }
  if (position >= low && position <= high) return { offset: position }
  return { offset: low, outside: { position, missing: position < low ? low - position : 0 } }
}
