import { type ModelPointer, modelPointerRecord, POINTER_OBJECT } from '@freshet/model/bundle/model-pointer.ts'
import { getIfThere } from '@freshet/ports/get-if-there.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { ModelFacts, SnapshotFacts } from '@freshet/records/facts.ts'
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

/** @throws S3_UNREACHABLE, S3_UNAUTHORIZED, BUCKET_MISSING, DEADLINE, RECORD_VERSION */
export async function lookAtModel(store: ObjectStore, signal: AbortSignal): Promise<ModelFacts> {
  const stored = await getIfThere(store, POINTER_OBJECT, signal)
  return modelFacts(stored === null ? null : modelPointerRecord.decode(stored.body))
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

function modelFacts(pointer: ModelPointer | null): ModelFacts {
  if (pointer === null) return { promoted: null, generation: 0, promotedAtMs: 0 }
  const { name, modelVersion, generation, promotedAtMs } = pointer
  return { promoted: `${name}@${modelVersion}`, generation, promotedAtMs }
}
