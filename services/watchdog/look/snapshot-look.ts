import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { SnapshotFacts } from '@freshet/records/facts.ts'
import type { Manifest } from '@freshet/records/manifest.ts'
import { filesOf, readManifest } from '@freshet/snapshot/manifest.ts'

/** @throws S3_UNREACHABLE, S3_UNAUTHORIZED, BUCKET_MISSING, DEADLINE, RECORD_VERSION, CONFIG_INVALID for another pipeline's */
export async function lookAtSnapshot(
  store: ObjectStore,
  pipeline: string,
  signal: AbortSignal,
): Promise<SnapshotFacts> {
  return snapshotFacts((await readManifest(store, pipeline, signal))?.manifest ?? null)
}

function snapshotFacts(manifest: Manifest | null): SnapshotFacts {
  const partitions = Object.entries(manifest?.partitions ?? {})
  const files = partitions.flatMap(([, partition]) => filesOf(partition))
  return {
    sequence: manifest?.sequence ?? 0,
    writtenAtMs: manifest?.writtenAtMs ?? 0,
    writtenBy: manifest?.writtenBy.instance ?? '',
    rows: files.reduce((sum, { rows }) => sum + rows, 0),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    files: files.length,
    partitions: partitions.map(([partition, { nextOffset, deltas, writtenAtMs }]) => ({
      partition: Number(partition),
      nextOffset,
      deltas: deltas.length,
      writtenAtMs: writtenAtMs ?? null,
    })),
  }
}
