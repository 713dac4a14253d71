import { Buffer } from 'node:buffer'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import { getIfThere } from '@freshet/ports/get-if-there.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
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
import {
  type ModelPointer,
  modelPointerRecord,
  type PinnedModel,
  POINTER_OBJECT,
  promoted,
  promotedAgain,
  rolledBack,
} from './model-pointer.ts'

export interface PushedModel {
  readonly name: string
  readonly version: string
}

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
 * Makes a pushed model the current one, under the next generation. Naming the model that is current already changes
 * nothing, so a promotion can be repeated.
 * Nothing is promoted, nor confirmed, whose stored files do not belong together.
 * @throws MODEL_MISSING when it was never pushed; MODEL_HASH, MODEL_INVALID
 */
export async function promoteModel(
  store: ObjectStore,
  model: PushedModel,
  nowMs: number,
  signal?: AbortSignal,
): Promise<ModelPointer> {
  const bundle = await readPushedBundle(store, model, signal)
  const { name, version: modelVersion, sha256 } = bundle.spec
  const decide = (current: ModelPointer | null) => {
    if (current?.name !== name || current.modelVersion !== modelVersion)
      return promoted({ name, modelVersion, sha256 }, current, nowMs)
    checkMeant(bundle, current)
    return current
  }
  // Where another promotion comes first, ours goes on top of it, or finds itself done.
  for (let attempt = 1; ; attempt++) {
    try {
      return await movePointer(store, decide, signal)
    } catch (error) {
      if (!isFreshetError(error, 'OBJECT_CHANGED') || attempt === MAX_PROMOTE_ATTEMPTS) throw error
    }
  }
}

/**
 * Gives the current model the next generation: everything is scored again, and outranks what is stored.
 * @param model the one that has to be current; any, when left out.
 * @throws MODEL_MISSING when nothing is promoted, MODEL_NOT_CURRENT, OBJECT_CHANGED when another promotion is faster
 */
export async function promoteAgain(
  store: ObjectStore,
  model: PushedModel | undefined,
  nowMs: number,
  signal?: AbortSignal,
): Promise<ModelPointer> {
  const current = await readCurrent(store, signal)
  if (model !== undefined && (model.name !== current.name || model.version !== current.modelVersion))
    throw new FreshetError('MODEL_NOT_CURRENT', `${labelOf(current)} is current, not ${modelLabel(model)}`)
  return await replaceCurrent(store, promotedAgain(current, nowMs), current, signal)
}

/**
 * Makes the model current that was so before, under the next generation.
 * @throws MODEL_MISSING when nothing is promoted or the older model's objects are gone, MODEL_NO_PREVIOUS,
 * MODEL_HASH when it is not what it was then, MODEL_INVALID; OBJECT_CHANGED when another promotion is faster: it is not
 * rolled back unseen
 */
export async function rollBackModel(
  store: ObjectStore,
  nowMs: number,
  signal?: AbortSignal,
): Promise<ModelPointer> {
  const current = await readCurrent(store, signal)
  const back = rolledBack(current, nowMs)
  if (back === null)
    throw new FreshetError('MODEL_NO_PREVIOUS', `no model was current before ${labelOf(current)}`)
  return await replaceCurrent(store, back, current, signal)
}

/** @throws OBJECT_CHANGED when `current` is no more what is current */
async function replaceCurrent(
  store: ObjectStore,
  next: ModelPointer,
  { generation }: ModelPointer,
  signal?: AbortSignal,
): Promise<ModelPointer> {
  await loadBundle(store, next, signal)
  const decide = (found: ModelPointer | null) => {
    if (found?.generation === generation) return next
    throw new FreshetError('OBJECT_CHANGED', 'another model was promoted meanwhile')
  }
  return await movePointer(store, decide, signal)
}

/** One conditional put, unless `decide` says that all stays as it is. @throws OBJECT_CHANGED */
async function movePointer(
  store: ObjectStore,
  decide: (current: ModelPointer | null) => ModelPointer,
  signal?: AbortSignal,
): Promise<ModelPointer> {
  const stored = await getIfThere(store, POINTER_OBJECT, signal)
  const current = stored && modelPointerRecord.decode(stored.body)
  const next = decide(current)
  if (next === current) return current
  const condition = stored ? { ifMatch: stored.etag } : 'absent'
  await store.put(POINTER_OBJECT, Buffer.from(modelPointerRecord.encode(next)), condition, signal)
  return next
}

/** null: nothing was ever promoted. */
export async function readPointer(store: ObjectStore, signal?: AbortSignal): Promise<ModelPointer | null> {
  const stored = await getIfThere(store, POINTER_OBJECT, signal)
  return stored && modelPointerRecord.decode(stored.body)
}

/** @throws MODEL_MISSING when nothing is promoted or its objects are gone; MODEL_HASH, MODEL_INVALID */
export async function loadPromotedModel(
  store: ObjectStore,
  signal: AbortSignal,
): Promise<{ bundle: ModelBundle; identity: ModelIdentity }> {
  const current = await readCurrent(store, signal)
  const { name, modelVersion: version, generation } = current
  return { bundle: await loadBundle(store, current, signal), identity: { name, version, generation } }
}

/** @throws MODEL_MISSING */
async function readCurrent(store: ObjectStore, signal?: AbortSignal): Promise<ModelPointer> {
  const pointer = await readPointer(store, signal)
  if (pointer === null) throw new FreshetError('MODEL_MISSING', 'no model is promoted')
  return pointer
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
function checkMeant({ spec }: ModelBundle, model: PinnedModel): void {
  if (spec.sha256 === model.sha256) return
  throw new FreshetError('MODEL_HASH', `${labelOf(model)} is not the model that was promoted or named`)
}

function labelOf({ name, modelVersion: version }: PinnedModel): string {
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
