/** What is pushed: bundles in S3, promoted or not. */
import type { Buffer } from 'node:buffer'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import { getIfThere } from '@freshet/ports/get-if-there.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import {
  BUNDLE_FILES,
  type BundleFile,
  checkHash,
  encodeBundle,
  type ModelBundle,
  readBundle,
  sha256Of,
} from './bundle.ts'
import type { PinnedModel } from './model-pointer.ts'

export interface PushedModel {
  readonly name: string
  readonly version: string
}

/**
 * Uploads a bundle under `models/<name>/<version>/`, model.json last: with it the version exists. Doing it again with
 * the same bytes is no error, and puts a model.onnx back that is not what the stored model.json names.
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
    const isThere = await putOnce(store, key, files[file], signal)
    if (!isThere && !(file === 'model.onnx' && (await mendOnnx(store, bundle, files, signal))))
      throw new FreshetError('MODEL_VERSION_TAKEN', `${key} is there already, with other bytes`)
  }
}

/** @throws MODEL_MISSING when the objects of the model are gone; MODEL_HASH, MODEL_INVALID */
export async function loadBundle(
  store: ObjectStore,
  model: PinnedModel,
  signal?: AbortSignal,
): Promise<ModelBundle> {
  const { name, modelVersion: version } = model
  const bundle = await readPushedBundle(store, { name, version }, signal)
  checkMeant(bundle, model)
  return bundle
}

/** What is pushed under a name and version, promoted or not. @throws MODEL_MISSING, MODEL_HASH, MODEL_INVALID */
export async function readPushedBundle(
  store: ObjectStore,
  model: PushedModel,
  signal?: AbortSignal,
): Promise<ModelBundle> {
  return await readBundle((file) => getFile(store, model, file, signal))
}

/** The files may belong together and yet not be those that are meant. @throws MODEL_HASH */
export function checkMeant({ spec }: ModelBundle, model: PinnedModel): void {
  if (spec.sha256 === model.sha256) return
  throw new FreshetError('MODEL_HASH', `${labelOf(model)} is not the model that was promoted or named`)
}

export function labelOf({ name, modelVersion: version }: PinnedModel): string {
  return modelLabel({ name, version })
}

function objectKey({ name, version }: PushedModel, file: BundleFile): string {
  return `models/${name}/${version}/${file}`
}

async function getFile(
  store: ObjectStore,
  model: PushedModel,
  file: BundleFile,
  signal?: AbortSignal,
): Promise<Buffer> {
  const key = objectKey(model, file)
  const stored = await getIfThere(store, key, signal)
  if (stored === null) throw new FreshetError('MODEL_MISSING', `${key} was never pushed`)
  return stored.body
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

/**
 * Puts model.onnx back where the stored one was damaged: the stored model.json is ours, and names other bytes than lie
 * beside it.
 * @returns whether it did. @throws OBJECT_CHANGED when somebody else writes there too
 */
async function mendOnnx(
  store: ObjectStore,
  { spec }: ModelBundle,
  files: Readonly<Record<BundleFile, Uint8Array>>,
  signal?: AbortSignal,
): Promise<boolean> {
  const key = objectKey(spec, 'model.onnx')
  const json = await getIfThere(store, objectKey(spec, 'model.json'), signal)
  if (json === null || !json.body.equals(files['model.json'])) return false
  const { body, etag } = await store.get(key, signal)
  if (sha256Of(body) === spec.sha256) return false
  await store.put(key, files['model.onnx'], { ifMatch: etag }, signal)
  return true
}
