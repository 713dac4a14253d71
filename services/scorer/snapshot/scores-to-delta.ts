import type { ManifestPartition } from '@freshet/records/manifest.ts'
import { writeMerged } from '@freshet/snapshot/write-merged.ts'
import type { TakenScores } from './held-scores.ts'
import { ORPHAN_AGE_MS } from './orphans.ts'
import type { NewFile } from './publish.ts'

/** (4→5) The scores that were held become one more delta of their partition. */
export function scoresToDelta(taken: TakenScores, nowMs: number): NewFile {
  const { partition, expected, sources, fromOffset, nextOffset } = taken
  return {
    partition,
    expected,
    name: `delta-${fromOffset}-${nextOffset - 1}`,
    write: (signal) => writeMerged(sources, signal),
    next: (file) => ({
      nextOffset,
      base: expected?.base ?? null,
      deltas: [...(expected?.deltas ?? []), ...(file === null ? [] : [file])],
      retired: recentlyRetired(expected, nowMs),
    }),
  }
}

/** What a reader of a manifest of the last hour may still want. */
export function recentlyRetired(
  partition: ManifestPartition | undefined,
  nowMs: number,
): ManifestPartition['retired'] {
  return (partition?.retired ?? []).filter(({ atMs }) => nowMs - atMs < ORPHAN_AGE_MS)
}
