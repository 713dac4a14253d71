import type { ManifestPartition } from '@freshet/records/manifest.ts'

/** How long a file that no manifest names is left alone, and one that was merged away is kept. */
export const ORPHAN_AGE_MS = 3_600_000

/** What a reader of a manifest of the last hour may still want. */
export function recentlyRetired(
  partition: ManifestPartition | undefined,
  nowMs: number,
): ManifestPartition['retired'] {
  return (partition?.retired ?? []).filter(({ atMs }) => nowMs - atMs < ORPHAN_AGE_MS)
}
