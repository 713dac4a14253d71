/** Whose turn it is to be read. Pure. */

/** Shards read at the same time: enough to hide latency, few enough to spare the source and our memory. */
const MAX_SCANS = 4
/** A scan that takes longer makes room when another shard waits. */
export const TURN_MS = 2_000

export interface Waiting {
  /** The turn of its last scan. */
  readonly lastTurn: number
  /** Its last turn was over before its scan was. */
  readonly isLong: boolean
}

/**
 * Who has waited longest is next. One place is left to shards that are soon done, so that backlogs, however many and
 * large, never hold up a shard that is up to date.
 * @param running scans that run now
 * @returns the ones that may begin
 */
export function whoseTurn<T extends Waiting>(waiting: readonly T[], running: readonly Waiting[]): T[] {
  const inOrder = waiting.toSorted((a, b) => a.lastTurn - b.lastTurn)
  let places = MAX_SCANS - running.length
  let placesForLong = MAX_SCANS - 1 - running.filter(({ isLong }) => isLong).length
  return inOrder.filter(({ isLong }) => {
    if (places <= 0 || (isLong && placesForLong <= 0)) return false
    places--
    if (isLong) placesForLong--
    return true
  })
}
