import { Buffer } from 'node:buffer'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { Manifest, ManifestPartition, SnapshotFile } from '@freshet/records/manifest.ts'
import type { ScoreBatch } from '@freshet/records/score-batch.ts'
import { rowsOfBatch } from '@freshet/records/stored-rows.ts'
import { objectKey } from './manifest.ts'
import { sortRows } from './sort.ts'
import { wholeFile } from './whole-file.kit.ts'

/** For tests: puts a file of these batches, and says of it what a manifest would. */
export async function putSnapshotFile(
  store: Pick<ObjectStore, 'put'>,
  object: string,
  ...batches: readonly ScoreBatch[]
): Promise<SnapshotFile> {
  const { bytes, rows, newestAsOfMs } = await wholeFile(batches.map((batch) => sortRows(rowsOfBatch(batch))))
  await store.put(objectKey(object), Buffer.from(bytes))
  return { object, rows, bytes: bytes.length, newestAsOfMs }
}

export function partitionWith(some: Partial<ManifestPartition>): ManifestPartition {
  return { nextOffset: 1, base: null, deltas: [], retired: [], ...some }
}

export function manifestWith(partitions: Manifest['partitions'], sequence = 1): Manifest {
  return {
    version: 1,
    pipeline: 'flights',
    sequence,
    writtenAtMs: 1,
    writtenBy: { instance: 'scorer-1', attempt: 'a' },
    partitions,
  }
}
