import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import { getIfThere } from '@freshet/ports/get-if-there.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import {
  MANIFEST_OBJECT,
  type Manifest,
  type ManifestPartition,
  manifestRecord,
  type SnapshotFile,
} from '@freshet/records/manifest.ts'

/**
 * The manifest as it stands and the etag to replace it by; undefined when there is no snapshot yet.
 * @throws CONFIG_INVALID when it is another pipeline's
 */
export async function readManifest(
  store: ObjectStore,
  pipeline: string,
  signal?: AbortSignal,
): Promise<{ manifest: Manifest; etag: string } | undefined> {
  const stored = await getIfThere(store, MANIFEST_OBJECT, signal)
  if (stored === null) return undefined
  const manifest = manifestRecord.decode(stored.body)
  if (manifest.pipeline === pipeline) return { manifest, etag: stored.etag }
  throw new FreshetError(
    'CONFIG_INVALID',
    `s3.prefix: the snapshot at ${store.urlOf(MANIFEST_OBJECT)} is of pipeline ${manifest.pipeline}, this one is ${pipeline}; each pipeline needs a prefix (or bucket) of its own`,
  )
}

/**
 * Refuses the snapshot of another pipeline, at the start. Whatever else is wrong with it is met, and told, by who reads it.
 * @throws CONFIG_INVALID
 */
export async function refuseForeignSnapshot(
  store: ObjectStore,
  pipeline: string,
  signal?: AbortSignal,
): Promise<void> {
  await readManifest(store, pipeline, signal).catch((error: unknown) => {
    if (isFreshetError(error, 'CONFIG_INVALID')) throw error
  })
}

/** Key in the object store of a file that the manifest names. */
export function objectKey(object: string): string {
  return `snapshots/${object}`
}

/** Base and deltas. */
export function filesOf({ base, deltas }: ManifestPartition): readonly SnapshotFile[] {
  return base === null ? deltas : [base, ...deltas]
}

/** Whether a later manifest has done without files of an earlier one. */
export function wereTakenAway(before: Manifest | null, now: Manifest | null): boolean {
  const named = new Set(namedBy(now))
  return namedBy(before).some((object) => !named.has(object))
}

function namedBy(manifest: Manifest | null): string[] {
  return Object.values(manifest?.partitions ?? {}).flatMap((at) => filesOf(at).map(({ object }) => object))
}
