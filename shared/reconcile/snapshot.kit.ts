/** Snapshots for tests, written as the snapshot worker writes them. */
import { randomUUID } from 'node:crypto'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import {
  MANIFEST_OBJECT,
  type Manifest,
  type ManifestPartition,
  manifestRecord,
} from '@freshet/records/manifest.ts'
import type { ScoreBatch } from '@freshet/records/score-batch.ts'
import { rowsOfBatch } from '@freshet/records/stored-rows.ts'
import { objectKey } from '@freshet/snapshot/manifest.ts'
import { sortRows } from '@freshet/snapshot/sort.ts'
import { wholeFile } from '@freshet/snapshot/whole-file.kit.ts'

/** @param partitions the batches of each partition, from offset 0: every batch becomes a delta */
export async function putSnapshot(
  store: ObjectStore,
  partitions: readonly (readonly ScoreBatch[])[],
  pipeline = 'test',
): Promise<Manifest> {
  const manifest: Manifest = {
    version: 1,
    pipeline,
    sequence: 1,
    writtenAtMs: 1,
    writtenBy: { instance: 'test', attempt: '1' },
    partitions: {},
  }
  for (const [number, batches] of partitions.entries()) {
    const deltas: ManifestPartition['deltas'] = []
    for (const [offset, batch] of batches.entries()) {
      const { bytes, rows, newestAsOfMs } = await wholeFile([sortRows(rowsOfBatch(batch))])
      const object = `p${number}-${offset}-${randomUUID()}.parquet`
      await store.put(objectKey(object), bytes)
      deltas.push({ object, rows, bytes: bytes.length, newestAsOfMs })
    }
    manifest.partitions[number] = { nextOffset: batches.length, base: null, deltas, retired: [] }
  }
  await store.put(MANIFEST_OBJECT, Buffer.from(manifestRecord.encode(manifest)))
  return manifest
}
