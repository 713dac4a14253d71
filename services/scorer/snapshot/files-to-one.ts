import type { Settings } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { ManifestPartition, SnapshotFile } from '@freshet/records/manifest.ts'
import { filesOf, objectKey } from '@freshet/snapshot/manifest.ts'
import { openSnapshotFile } from '@freshet/snapshot/parquet/read.ts'
import { recentlyRetired } from '@freshet/snapshot/retention.ts'
import { writeMerged } from '@freshet/snapshot/write-merged.ts'
import { parseFileName } from './file-names.ts'
import type { MergePlan } from './merge-plan.ts'
import type { Committed } from './own-partitions.ts'
import type { NewFile } from './publish.ts'

interface MergeParts {
  readonly store: ObjectStore
  readonly settings: Pick<Settings['snapshot'], 'tombstoneTtlSeconds'>
  /** When the merge began. */
  readonly nowMs: number
  /** Called after each page: leaves time to others. */
  readonly pause: () => Promise<void>
}

/**
 * (5→5) Several files of a partition become one, streamed row group by row group. A new base, below which nothing older
 * lies, lets go of tombstones that are older than every write that may still come late; a delta keeps them all.
 */
export function filesToOne(partition: number, { kind, files }: MergePlan, parts: MergeParts): NewFile {
  const { store, settings, nowMs, pause } = parts
  const dropBeforeMs = kind === 'base' ? nowMs - settings.tombstoneTtlSeconds * 1_000 : undefined
  return {
    name: { partition, kind, ...offsetsOf(files) },
    async write(out, signal) {
      const open = files.map(({ object, bytes }) =>
        openSnapshotFile(store, { key: objectKey(object), bytes }, { signal }),
      )
      return writeMerged(await Promise.all(open), out, { signal, pause, dropBeforeMs })
    },
    next: (file, now, nowMs) => replace(now, { kind, files }, file, nowMs),
  }
}

/** Deltas that came while the merge was under way stay behind it. */
function replace(
  now: Committed,
  { kind, files }: MergePlan,
  file: SnapshotFile | null,
  nowMs: number,
): ManifestPartition {
  const isMerged = ({ object }: SnapshotFile) => files.some((one) => one.object === object)
  if (now === undefined || filesOf(now).filter(isMerged).length !== files.length)
    throw new FreshetError('BUG', 'files were merged that the manifest does not name any more')
  const first = now.deltas.findIndex(isMerged)
  const left = now.deltas.filter((delta) => !isMerged(delta))
  const merged = file === null ? [] : [file]
  return {
    ...now,
    base: kind === 'base' ? file : now.base,
    deltas: kind === 'base' ? left : [...left.slice(0, first), ...merged, ...left.slice(first)],
    retired: [
      ...recentlyRetired(now, nowMs),
      // Where nothing was left there is no file that they went into.
      ...files.map(({ object }) => ({ object, into: file?.object ?? '', atMs: nowMs })),
    ],
  }
}

function offsetsOf(files: readonly SnapshotFile[]): { fromOffset: number; toOffset: number } {
  const names = files.flatMap(({ object }) => parseFileName(object) ?? [])
  return {
    fromOffset: Math.min(...names.map(({ fromOffset }) => fromOffset)),
    toOffset: Math.max(...names.map(({ toOffset }) => toOffset)),
  }
}
