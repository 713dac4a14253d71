import type { Revision } from '@freshet/records/revision.ts'

/**
 * What its owner can do for a living document that a row hides, since what the row speaks of counts as newer.
 * @param row at or above `document` in the order of revisions
 */
export function wayOut(document: Revision, row: Revision, versionField: string | undefined): string {
  if (row.documentVersion > document.documentVersion)
    return `a higher ${versionField} of this key hides it: write it again with one above ${row.documentVersion}`
  if (row.epoch === document.epoch) return 'a newer revision than its own hides it: write the document again'
  if (versionField !== undefined)
    return `what was written to this key in another index or shard hides it: write it again with a ${versionField} above ${row.documentVersion}`
  return 'what was written to this key in another index or shard hides it, and writing it again does not help: set elasticsearch.versionField, or delete and re-create the index that holds it'
}

/** Of the one that was captured first; the other has the score. */
export const SHARED_BY_ROUTING =
  'two living documents share this key, through routing: give one of them another _id, or let elasticsearch.key name a field that tells them apart'
