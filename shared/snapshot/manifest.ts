import { isFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import {
  MANIFEST_OBJECT,
  type Manifest,
  type ManifestPartition,
  manifestRecord,
  type SnapshotFile,
} from '@freshet/records/manifest.ts'

/** The manifest as it stands and the etag to replace it by; undefined when there is no snapshot yet. */
export async function readManifest(
  store: ObjectStore,
  signal?: AbortSignal,
): Promise<{ manifest: Manifest; etag: string } | undefined> {
  try {
    const { body, etag } = await store.get(MANIFEST_OBJECT, signal)
    return { manifest: manifestRecord.decode(body), etag }
  } catch (error) {
    if (isFreshetError(error, 'OBJECT_MISSING')) return undefined
    throw error
  }
}

/** Key in the object store of a file that the manifest names. */
export function objectKey(object: string): string {
  return `snapshots/${object}`
}

/** Base and deltas. */
export function filesOf({ base, deltas }: ManifestPartition): readonly SnapshotFile[] {
  return base === null ? deltas : [base, ...deltas]
}
