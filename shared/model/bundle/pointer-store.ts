/** Which of the pushed models is the promoted one: reads the pointer in S3, and moves it. */
import { Buffer } from 'node:buffer'
import { FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import { getIfThere } from '@freshet/ports/get-if-there.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { type ModelIdentity, modelLabel } from '@freshet/records/score-batch.ts'
import type { ModelBundle } from './bundle.ts'
import { checkMeant, labelOf, loadBundle, type PushedModel, readPushedBundle } from './bundle-store.ts'
import { takeGeneration } from './generations.ts'
import {
  type ModelPointer,
  modelPointerRecord,
  POINTER_OBJECT,
  promoted,
  promotedAgain,
  rolledBack,
  type Stamp,
} from './model-pointer.ts'

const MAX_PROMOTE_ATTEMPTS = 10

/**
 * Makes a pushed model the current one, under the next generation. Naming the model that is current already changes
 * nothing, so a promotion can be repeated. A pointer that cannot be read is replaced.
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
  const decide: Decision = (current) => {
    if (current?.name !== name || current.modelVersion !== modelVersion)
      return (stamp) => promoted({ name, modelVersion, sha256 }, current, stamp)
    checkMeant(bundle, current)
    return null
  }
  // Where another promotion comes first, ours goes on top of it, or finds itself done.
  for (let attempt = 1; ; attempt++) {
    try {
      return await movePointer(store, decide, { nowMs, mayMend: true }, signal)
    } catch (error) {
      if (!isFreshetError(error, 'OBJECT_CHANGED') || attempt === MAX_PROMOTE_ATTEMPTS) throw error
    }
  }
}

/**
 * Gives the current model the next generation: everything is scored again, and outranks what is stored.
 * @param model the one that has to be current; any, when left out.
 * @param above a generation that is stored somewhere, where the pointer was lost: the new one is higher
 * @throws MODEL_MISSING when nothing is promoted, MODEL_NOT_CURRENT, OBJECT_CHANGED when another promotion is faster
 */
export async function promoteAgain(
  store: ObjectStore,
  model: PushedModel | undefined,
  nowMs: number,
  { above = 0, signal }: { readonly above?: number; readonly signal?: AbortSignal } = {},
): Promise<ModelPointer> {
  const current = await readCurrent(store, signal)
  if (model !== undefined && (model.name !== current.name || model.version !== current.modelVersion))
    throw new FreshetError('MODEL_NOT_CURRENT', `${labelOf(current)} is current, not ${modelLabel(model)}`)
  await loadBundle(store, current, signal)
  const replacement = (stamp: Stamp) => promotedAgain(current, stamp)
  return await replaceCurrent(store, current, replacement, { nowMs, above }, signal)
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
  const [to] = current.previous
  if (to === undefined)
    throw new FreshetError('MODEL_NO_PREVIOUS', `no model was current before ${labelOf(current)}`)
  await loadBundle(store, to, signal)
  return await replaceCurrent(store, current, (stamp) => rolledBack(current, stamp)!, { nowMs }, signal)
}

/** @throws OBJECT_CHANGED when `current` is no more what is current */
async function replaceCurrent(
  store: ObjectStore,
  { generation }: ModelPointer,
  replacement: (stamp: Stamp) => ModelPointer,
  options: { readonly nowMs: number; readonly above?: number },
  signal?: AbortSignal,
): Promise<ModelPointer> {
  const decide: Decision = (found) => {
    if (found?.generation === generation) return replacement
    throw new FreshetError('OBJECT_CHANGED', 'another model was promoted meanwhile')
  }
  return await movePointer(store, decide, { ...options, mayMend: false }, signal)
}

/** How the pointer changes, once a generation is taken; null: all stays as it is. */
type Decision = (current: ModelPointer | null) => ((stamp: Stamp) => ModelPointer) | null

/**
 * Takes a generation, then makes one conditional put, unless `decide` says that all stays as it is.
 * @param mayMend a pointer that cannot be read is taken for none, and replaced
 * @throws OBJECT_CHANGED, RECORD_MALFORMED
 */
async function movePointer(
  store: ObjectStore,
  decide: Decision,
  {
    nowMs,
    above = 0,
    mayMend,
  }: { readonly nowMs: number; readonly above?: number; readonly mayMend: boolean },
  signal?: AbortSignal,
): Promise<ModelPointer> {
  const stored = await getIfThere(store, POINTER_OBJECT, signal)
  const current = stored && (mayMend ? decodeIfWhole(stored.body) : decodePointer(stored.body))
  const change = decide(current)
  if (change === null) return current!
  const pointed = { generation: current?.generation ?? null, isDamaged: stored !== null && current === null }
  const generation = await takeGeneration(store, pointed, { nowMs, above }, signal)
  // The clock was read before the one of a promotion that came first, perhaps elsewhere: times go with generations.
  const promotedAtMs = Math.max(nowMs, current?.promotedAtMs ?? 0)
  const next = change({ generation, promotedAtMs })
  const condition = stored ? { ifMatch: stored.etag } : 'absent'
  await store.put(POINTER_OBJECT, Buffer.from(modelPointerRecord.encode(next)), condition, signal)
  return next
}

/** @throws RECORD_MALFORMED with what to do, RECORD_VERSION */
function decodePointer(body: Buffer): ModelPointer {
  try {
    return modelPointerRecord.decode(body)
  } catch (error) {
    if (!isFreshetError(error, 'RECORD_MALFORMED')) throw error
    const mend = 'promote the model again by name, `freshet model promote <name> <version>`, to replace it'
    throw new FreshetError('RECORD_MALFORMED', `${POINTER_OBJECT}: ${error.message}; ${mend}`, {
      cause: error,
    })
  }
}

/** null: it cannot be read. @throws RECORD_VERSION: a newer build can */
function decodeIfWhole(body: Buffer): ModelPointer | null {
  try {
    return modelPointerRecord.decode(body)
  } catch (error) {
    if (isFreshetError(error, 'RECORD_MALFORMED')) return null
    throw error
  }
}

/** null: nothing is promoted. @throws RECORD_MALFORMED, RECORD_VERSION */
export async function readPointer(store: ObjectStore, signal?: AbortSignal): Promise<ModelPointer | null> {
  const stored = await getIfThere(store, POINTER_OBJECT, signal)
  return stored && decodePointer(stored.body)
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
