import type { Settings } from '@freshet/config/schema.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { ManifestPartition } from '@freshet/records/manifest.ts'
import { filesOf, objectKey } from '@freshet/snapshot/manifest.ts'
import { openSnapshotFile } from '@freshet/snapshot/parquet/read.ts'
import { writeMerged } from '@freshet/snapshot/write-merged.ts'
import type { NewFile } from './publish.ts'
import { recentlyRetired } from './scores-to-delta.ts'

/** Many deltas make reading slow, a new base costs a rewrite: it is due at a share of its rows, or at so many deltas. */
export function isMergeDue(
  { base, deltas }: ManifestPartition,
  { mergeShare, maxDeltas }: Pick<Settings['snapshot'], 'mergeShare' | 'maxDeltas'>,
): boolean {
  const deltaRows = deltas.reduce((sum, { rows }) => sum + rows, 0)
  const reachesShare = deltas.length >= 2 && deltaRows >= mergeShare * (base?.rows ?? 0)
  return reachesShare || deltas.length >= maxDeltas
}

/**
 * (5→5) Base and deltas of a partition become its new base, streamed row group by row group. Tombstones are kept: one
 * older than every write that may still come late could be dropped, and that time is a setting of Redis only.
 */
export function deltasToBase(
  store: ObjectStore,
  partition: number,
  { expected, nowMs }: { expected: ManifestPartition; nowMs: number },
): NewFile {
  const files = filesOf(expected)
  return {
    partition,
    expected,
    name: `base-0-${expected.nextOffset - 1}`,
    async write(signal) {
      const open = files.map(({ object, bytes }) =>
        openSnapshotFile(store, { key: objectKey(object), bytes }, signal),
      )
      return writeMerged(await Promise.all(open), signal)
    },
    next: (base) => ({
      nextOffset: expected.nextOffset,
      base,
      deltas: [],
      retired: [
        ...recentlyRetired(expected, nowMs),
        ...(base === null ? [] : files.map(({ object }) => ({ object, into: base.object, atMs: nowMs }))),
      ],
    }),
  }
}
