/** Words of an entry, its seqNo, and what finds it (at most 10), a little on the safe side. */
const FIXED_BYTES = 48
const DOUBLE_BYTES = 8

/** What a row takes in a table of some size, at most. `hasVersion`: once one document version is not 0. */
export function rowBytes(outputs: number, hasVersion: boolean): number {
  return FIXED_BYTES + DOUBLE_BYTES * (outputs + (hasVersion ? 1 : 0))
}
