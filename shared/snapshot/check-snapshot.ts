import { FreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { Manifest } from '@freshet/records/manifest.ts'
import { filesOf, objectKey, readManifest } from './manifest.ts'

/**
 * Whether the manifest is ours and the files that it names are there, with the lengths that it says; no file is read.
 * No snapshot yet is no fault.
 * @throws CONFIG_INVALID when it is another pipeline's, RECORD_MALFORMED, RECORD_VERSION, SNAPSHOT_FILE_MISSING,
 *   SNAPSHOT_CORRUPT, and what the store throws
 */
export async function checkSnapshot(
  store: ObjectStore,
  pipeline: string,
  signal: AbortSignal,
): Promise<void> {
  for (let manifest = await read(); manifest !== undefined; ) {
    const fault = await faultOf(store, manifest, signal)
    if (fault === undefined) return
    const now = await read() // a merge takes files away that only an older manifest names
    if (now?.sequence === manifest.sequence) throw fault
    manifest = now
  }

  async function read(): Promise<Manifest | undefined> {
    return (await readManifest(store, pipeline, signal))?.manifest
  }
}

async function faultOf(
  store: ObjectStore,
  { partitions }: Manifest,
  signal: AbortSignal,
): Promise<FreshetError | undefined> {
  const bytesOf = new Map((await store.list('snapshots/', signal)).map(({ key, bytes }) => [key, bytes]))
  const files = Object.values(partitions).flatMap(filesOf)
  const missing = files.filter(({ object }) => !bytesOf.has(objectKey(object)))
  if (missing.length > 0)
    return new FreshetError(
      'SNAPSHOT_FILE_MISSING',
      `${missing.length} of ${files.length} files of the snapshot are not there, as ${store.urlOf(objectKey(missing[0]!.object))}`,
    )
  const cut = files.find(({ object, bytes }) => bytesOf.get(objectKey(object)) !== bytes)
  if (cut === undefined) return undefined
  return new FreshetError(
    'SNAPSHOT_CORRUPT',
    `${store.urlOf(objectKey(cut.object))} has ${bytesOf.get(objectKey(cut.object))} bytes, the manifest says ${cut.bytes}`,
  )
}
