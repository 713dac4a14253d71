import { Buffer } from 'node:buffer'
import type { Revision } from '@freshet/records/revision.ts'
import type { StoredRows } from '@freshet/records/stored-rows.ts'

/** A copy: the page is overwritten by the next. */
export function keyAt({ keys, keyOffsets }: StoredRows, row: number): Buffer {
  return Buffer.from(keys.subarray(keyOffsets[row]!, keyOffsets[row + 1]!))
}

export function revisionAt(page: StoredRows, row: number): Revision {
  return {
    documentVersion: page.documentVersions[row]!,
    epoch: page.epochs[row]!,
    primaryTerm: page.primaryTerms[row]!,
    seqNo: page.seqNos[row]!,
  }
}
