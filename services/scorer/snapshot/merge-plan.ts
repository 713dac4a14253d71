import type { Settings } from '@freshet/config/schema.ts'
import type { ManifestPartition, SnapshotFile } from '@freshet/records/manifest.ts'

/** Files of a partition that are to become one: the base with all deltas, or the newest deltas. */
export interface MergePlan {
  readonly kind: 'base' | 'delta'
  /** Oldest first. */
  readonly files: readonly SnapshotFile[]
}

/**
 * Many deltas make reading slow, a new base costs a rewrite of all rows. So the base is due when the deltas reach a share
 * of it; until then the newest deltas are put together when there are too many, whatever the interval is: a row is
 * rewritten some log2(deltas) times on its way into the base.
 * @param isBaseWhole false: it could not be read, so only deltas are merged
 */
export function planMerge(
  { base, deltas }: ManifestPartition,
  { mergeShare, maxDeltas }: Pick<Settings['snapshot'], 'mergeShare' | 'maxDeltas'>,
  isBaseWhole = true,
): MergePlan | undefined {
  const deltaRows = sumRows(deltas)
  const reachesShare = deltas.length >= 2 && deltaRows >= mergeShare * (base?.rows ?? 0)
  const newest = deltas.length >= Math.max(2, maxDeltas) ? newestOf(deltas) : []
  if (isBaseWhole && (reachesShare || (maxDeltas === 1 && deltas.length > 0)))
    return { kind: 'base', files: base === null ? deltas : [base, ...deltas] }
  return newest.length >= 2 ? { kind: 'delta', files: newest } : undefined
}

/** At least the newer half; and each older one that is not larger than all after it together. */
function newestOf(deltas: readonly SnapshotFile[]): readonly SnapshotFile[] {
  let from = Math.min(deltas.length - 2, Math.floor(deltas.length / 2))
  let rows = sumRows(deltas.slice(from))
  while (from > 0 && deltas[from - 1]!.rows <= rows) rows += deltas[--from]!.rows
  return deltas.slice(from)
}

function sumRows(files: readonly SnapshotFile[]): number {
  return files.reduce((sum, { rows }) => sum + rows, 0)
}
