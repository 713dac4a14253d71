import type { ListedObject, ObjectStore } from '@freshet/ports/object-store.ts'
import type { Manifest } from '@freshet/records/manifest.ts'
import { writeLatest } from '@freshet/snapshot/latest.ts'
import { filesOf, objectKey, readManifest } from '@freshet/snapshot/manifest.ts'
import { ORPHAN_AGE_MS } from '@freshet/snapshot/retention.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { parseFileName } from './file-names.ts'

/**
 * Deletes files that neither the manifest nor one of the last hour names, and uploads that nobody ended: what attempts
 * that failed have left, and what was merged. A crash may have left `latest.json` behind, which is mended first, so that
 * it never names what is deleted.
 */
export async function collectOrphans(
  { store, pipeline, clock, log }: { store: ObjectStore; pipeline: string; clock: Clock; log: Log },
  signal: AbortSignal,
): Promise<void> {
  // First the time, then the list, then the manifest: what is young or committed meanwhile stays, however long we sleep.
  const nowMs = clock.nowMs()
  const listed = await store.list(objectKey(''), signal)
  const current = await readManifest(store, pipeline, signal)
  if (current !== undefined) {
    await writeLatest(store, pipeline, signal)
    const orphans = orphansOf(current.manifest, listed, nowMs)
    for (const key of orphans) await store.delete(key, signal)
    if (orphans.length > 0) log.info(`${orphans.length} orphaned snapshot files deleted`)
  }
  const uploads = await store.abortUploads(objectKey(''), nowMs - ORPHAN_AGE_MS, signal)
  if (uploads > 0) log.info(`${uploads} uploads of snapshot files that nobody ended were given up`)
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
    .filter(({ key, modifiedAtMs }) => isSnapshotFile(key) && !kept.has(key) && isOld(modifiedAtMs))
    .map(({ key }) => key)
}

function isSnapshotFile(key: string): boolean {
  const folder = objectKey('')
  return key.startsWith(folder) && parseFileName(key.slice(folder.length)) !== undefined
}
