import { Buffer } from 'node:buffer'
import { isFreshetError } from '@freshet/errors/errors.ts'
import { getIfThere } from '@freshet/ports/get-if-there.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { LATEST_OBJECT, type LatestSnapshot, latestRecord } from '@freshet/records/latest-snapshot.ts'
import type { Manifest } from '@freshet/records/manifest.ts'
import { filesOf, objectKey, readManifest } from './manifest.ts'

/**
 * Writes what the manifest says for people who want one name. It never goes back, however many write it and however long
 * one of them sleeps: the manifest is read after the version that is replaced, and so is not older than that.
 * @throws OBJECT_CHANGED when others were faster again and again; and what the store throws
 */
export async function writeLatest(store: ObjectStore, pipeline: string, signal: AbortSignal): Promise<void> {
  for (let failures = 0; ; failures++) {
    const there = await getIfThere(store, LATEST_OBJECT, signal)
    const manifest = (await readManifest(store, pipeline, signal))?.manifest
    if (manifest === undefined) return
    const body = Buffer.from(latestRecord.encode(latestOf(manifest, store)))
    if (there?.body.equals(body)) return
    try {
      await store.put(LATEST_OBJECT, body, there === null ? 'absent' : { ifMatch: there.etag }, signal)
      return
    } catch (error) {
      if (!isFreshetError(error, 'OBJECT_CHANGED') || failures === MAX_FAILURES) throw error
    }
  }
}

const MAX_FAILURES = 5

function latestOf(
  { pipeline, sequence, writtenAtMs, partitions }: Manifest,
  store: ObjectStore,
): LatestSnapshot {
  const files = Object.values(partitions).flatMap(filesOf)
  return {
    version: 1,
    pipeline,
    sequence,
    writtenAtMs,
    newestAsOfMs: files.reduce((newest, file) => Math.max(newest, file.newestAsOfMs), 0),
    rows: files.reduce((sum, { rows }) => sum + rows, 0),
    files: files.map(({ object }) => store.urlOf(objectKey(object))),
  }
}
