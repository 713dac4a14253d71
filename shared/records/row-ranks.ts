import type { StoredRows } from './stored-rows.ts'

/** Negative, zero or positive, as row a is older than, the same as or newer than row b of the same key. */
export function compareRowRanks(a: StoredRows, rowA: number, b: StoredRows, rowB: number): number {
  return (
    a.documentVersions[rowA]! - b.documentVersions[rowB]! ||
    a.epochs[rowA]! - b.epochs[rowB]! ||
    a.primaryTerms[rowA]! - b.primaryTerms[rowB]! ||
    a.seqNos[rowA]! - b.seqNos[rowB]! ||
    a.modelGenerations[rowA]! - b.modelGenerations[rowB]!
  )
}
