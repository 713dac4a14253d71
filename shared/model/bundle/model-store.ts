import { Buffer } from 'node:buffer'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore, StoredObject } from '@freshet/ports/object-store.ts'
import type { ModelIdentity } from '@freshet/records/score-batch.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import {
  BUNDLE_FILES,
  type BundleFile,
  checkHash,
  encodeBundle,
  type ModelBundle,
  readBundle,
} from './bundle.ts'
import { type ModelPointer, modelPointerRecord, POINTER_OBJECT } from './model-pointer.ts'

const MAX_PROMOTE_ATTEMPTS = 10

/**
 * Uploads a bundle under `models/<name>/<version>/`, model.json last: with it the version exists. Doing it again with
 * the same bytes is no error.
 * @throws MODEL_VERSION_TAKEN when the version has other bytes, MODEL_HASH
 */
export async function pushModel(
  store: ObjectStore,
  bundle: ModelBundle,
  signal?: AbortSignal,
): Promise<void> {
  checkHash(bundle)
  const files = encodeBundle(bundle)
  for (const file of BUNDLE_FILES) {
    const key = objectKey(bundle.spec, file)
    if (!(await putOnce(store, key, files[file], signal)))
      throw new FreshetError('MODEL_VERSION_TAKEN', `${key} is there already, with other bytes`)
  }
}

/**
 * Makes a pushed model the current one, under the next generation. Rolling back is promoting the older version.
 * Naming the model that is current already changes nothing, so a promotion can be repeated.
 * Nothing is promoted, nor confirmed, whose stored files do not belong together.
 * @throws MODEL_MISSING when it was never pushed; MODEL_HASH, MODEL_INVALID
 */
export async function promoteModel(
  store: ObjectStore,
  model: { readonly name: string; readonly version: string },
  nowMs: number,
  signal?: AbortSignal,
): Promise<ModelPointer> {
  const bundle = await readBundle((file) => getFile(store, model, file, signal))
  const { sha256 } = bundle.spec
  for (let attempt = 1; ; attempt++) {
    const stored = await getPointer(store, signal)
    const current = stored && modelPointerRecord.decode(stored.body)
    if (current?.name === model.name && current.modelVersion === model.version) {
      checkPromoted(bundle, current)
      return current
    }
    const next: ModelPointer = {
      version: 1,
      name: model.name,
      modelVersion: model.version,
      sha256,
      generation: (current?.generation ?? 0) + 1,
      promotedAtMs: nowMs,
    }
    const condition = stored ? { ifMatch: stored.etag } : 'absent'
    try {
      await store.put(POINTER_OBJECT, Buffer.from(modelPointerRecord.encode(next)), condition, signal)
      return next
    } catch (error) {
      // Another promotion came first: ours goes on top of it, or finds itself done.
      if (!isFreshetError(error, 'OBJECT_CHANGED') || attempt === MAX_PROMOTE_ATTEMPTS) throw error
    }
  }
}

/** null: nothing was ever promoted. */
export async function readPointer(store: ObjectStore, signal?: AbortSignal): Promise<ModelPointer | null> {
  const stored = await getPointer(store, signal)
  return stored && modelPointerRecord.decode(stored.body)
}

/** @throws MODEL_MISSING when nothing is promoted or its objects are gone; MODEL_HASH, MODEL_INVALID */
export async function loadPromotedModel(
  store: ObjectStore,
  signal: AbortSignal,
): Promise<{ bundle: ModelBundle; identity: ModelIdentity }> {
  const pointer = await readPointer(store, signal)
  if (pointer === null) throw new FreshetError('MODEL_MISSING', 'no model is promoted')
  return await loadBundle(store, pointer, signal)
}

/** @throws MODEL_MISSING when the objects that the pointer names are gone; MODEL_HASH, MODEL_INVALID */
export async function loadBundle(
  store: ObjectStore,
  pointer: ModelPointer,
  signal: AbortSignal,
): Promise<{ bundle: ModelBundle; identity: ModelIdentity }> {
  const { name, modelVersion: version, generation } = pointer
  const bundle = await readBundle((file) => getFile(store, { name, version }, file, signal))
  checkPromoted(bundle, pointer)
  return { bundle, identity: { name, version, generation } }
}

/** The files may belong together and yet not be those that were promoted. @throws MODEL_HASH */
function checkPromoted({ spec }: ModelBundle, { name, modelVersion: version, sha256 }: ModelPointer): void {
  if (spec.sha256 === sha256) return
  throw new FreshetError('MODEL_HASH', `${modelLabel({ name, version })} is not the model that was promoted`)
}

function objectKey({ name, version }: { name: string; version: string }, file: BundleFile): string {
  return `models/${name}/${version}/${file}`
}

async function getFile(
  store: ObjectStore,
  model: { readonly name: string; readonly version: string },
  file: BundleFile,
  signal?: AbortSignal,
): Promise<Buffer> {
  try {
    return (await store.get(objectKey(model, file), signal)).body
  } catch (error) {
    if (!isFreshetError(error, 'OBJECT_MISSING')) throw error
    throw new FreshetError('MODEL_MISSING', `${objectKey(model, file)} was never pushed`, { cause: error })
  }
}

/** False when the key holds other bytes. */
async function putOnce(
  store: ObjectStore,
  key: string,
  body: Uint8Array,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    await store.put(key, body, 'absent', signal)
    return true
  } catch (error) {
    if (!isFreshetError(error, 'OBJECT_CHANGED')) throw error
    return (await store.get(key, signal)).body.equals(body)
  }
}

async function getPointer(store: ObjectStore, signal?: AbortSignal): Promise<StoredObject | null> {
  try {
    return await store.get(POINTER_OBJECT, signal)
  } catch (error) {
    if (isFreshetError(error, 'OBJECT_MISSING')) return null
    throw error
  }
}
