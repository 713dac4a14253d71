import type { ListedObject, ObjectStore } from '@freshet/ports/object-store.ts'
import type { Manifest } from '@freshet/records/manifest.ts'
import { filesOf, objectKey, readManifest } from '@freshet/snapshot/manifest.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'

/** How long a file that no manifest names is left alone, and one that was merged away is kept. */
export const ORPHAN_AGE_MS = 3_600_000

/** Deletes files that neither the manifest nor one of the last hour names: of attempts that failed, and merged ones. */
export async function collectOrphans(
  { store, clock, log }: { store: ObjectStore; clock: Clock; log: Log },
  signal: AbortSignal,
): Promise<void> {
  const listed = await store.list(objectKey(''), signal) // before the manifest: what is committed meanwhile is named
  const current = await readManifest(store, signal)
  if (current === undefined) return
  const orphans = orphansOf(current.manifest, listed, clock.nowMs())
  for (const key of orphans) await store.delete(key, signal)
  if (orphans.length > 0) log.info(`${orphans.length} orphaned snapshot files deleted`)
}

/** Only what bears the name of a snapshot file; the rest is not ours. */
export function orphansOf(manifest: Manifest, listed: readonly ListedObject[], nowMs: number): string[] {
  const isOld = (ms: number) => nowMs - ms >= ORPHAN_AGE_MS
  const kept = new Set(
    Object.values(manifest.partitions).flatMap((partition) => [
      ...filesOf(partition).map(({ object }) => objectKey(object)),
      ...partition.retired.filter(({ atMs }) => !isOld(atMs)).map(({ object }) => objectKey(object)),
    ]),
  )
  return listed
    .filter(({ key, modifiedAtMs }) => SNAPSHOT_FILE.test(key) && !kept.has(key) && isOld(modifiedAtMs))
    .map(({ key }) => key)
}

const SNAPSHOT_FILE = /^snapshots\/\d+\/(base|delta)-\d+-\d+-[0-9a-f]+\.parquet$/
